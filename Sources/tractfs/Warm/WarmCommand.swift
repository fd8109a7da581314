import ArgumentParser
import BlockCache
import CommandOutput
import Glibc
import Settings
import SystemSupport

/// The command `tractfs warm`.
struct WarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Fetch files or listings into the cache of a mount before they are needed.",
        discussion: """
            Fetches files, and all files below folders, into the disk cache of their mount, many at once. Reads of programs \
            have priority. Prints the needed and the available space first, and does nothing if the files don't fit. Files in \
            the cache aren't fetched again, so that after Ctrl-C or an error the same command resumes. The exit status is 0 if \
            all files are in the cache, 1 if not, and 130 after Ctrl-C.

            --include and --exclude select files by their paths below the folder: "*" matches any characters, "/" too, "?" \
            matches one, "[a-z]" one of these. A file is selected if it matches an --include, or there is none, and no \
            --exclude.

            Fetched files are evicted like all others, the least recently used first. With --keep they are pinned: no mount that \
            shares the cache evicts them, also after a remount, until --release unpins them. Pins apply to the versions that are \
            in the bucket now. At most four fifths of a cache can be pinned. Only the user who mounted, and root, may do this.

            With --metadata only the trees are listed: names, sizes and times, which expire after the mount's --metadata-ttl.
            """)

    @Argument(help: ArgumentHelp("Files or folders in mounts.", valueName: "path"), completion: .file())
    var paths: [String]

    @Flag(help: "List names, sizes and times only, and fetch no file.")
    var metadata = false

    @Option(help: ArgumentHelp("Only files that match; may be repeated.", valueName: "glob"))
    var include: [String] = []

    @Option(help: ArgumentHelp("No files that match; may be repeated.", valueName: "glob"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "The number of files, or of 8 MiB parts of large files, to fetch at once (1 to 64; default: \(standardParallel)).",
            valueName: "n"),
        transform: { try Int.read($0) })
    var parallel: Int?

    @Flag(help: "Check cached data against their checksums, and fetch damaged data again.")
    var verify = false

    @Flag(help: "Print the needed and the available space, and fetch nothing.")
    var dryRun = false

    @Flag(help: "Pin these files in the cache.")
    var keep = false

    @Flag(help: "Unpin the files that --keep has pinned at these paths. Fetches nothing.")
    var release = false

    private static let standardParallel = 16
    private static let parallelMax = 64

    func validate() throws {
        if metadata, let option = givenOption(but: "--metadata") {
            throw ValidationError("\(option): with --metadata no file is fetched; leave one of them out")
        }
        if release, let option = givenOption(but: "--release") {
            throw ValidationError(
                "\(option): with --release all that is kept at the paths is meant; leave one of them out")
        }
        if dryRun, verify {
            throw ValidationError("--verify: with --dry-run nothing is checked; leave one of them out")
        }
        if let parallel, !(1...WarmCommand.parallelMax).contains(parallel) {
            throw ValidationError("--parallel \(parallel): give a number from 1 to \(WarmCommand.parallelMax)")
        }
    }

    /// Returns the name of another option that was given.
    private func givenOption(but name: String) -> String? {
        let given: KeyValuePairs = [
            "--release": release, "--metadata": metadata, "--include": !include.isEmpty, "--exclude": !exclude.isEmpty,
            "--parallel": parallel != nil, "--verify": verify, "--dry-run": dryRun, "--keep": keep,
        ]
        return given.first { $0.value && $0.key != name }?.key
    }

    func run() throws {
        if metadata { return try listTrees() }
        if release { return try releaseFiles() }
        try WarmRun(
            paths, patterns: KeyPatterns(including: include, excluding: exclude),
            hasPatterns: !(include + exclude).isEmpty,
            options: FetchRun.Options(
                parallelCount: parallel ?? WarmCommand.standardParallel, verifies: verify, keeps: keep),
            isDry: dryRun
        ).run()
    }

    private func listTrees() throws {
        try MountPaths.forEach(paths) { path throws(Failure) in
            var progress = WarmProgressLines(path, on: .onStandardError(hasLines: true))
            let status = try TreeListing(path: path).finish(telling: &progress)
            try StandardOutput.write("\(progress.summary(status))\n")
        }
    }

    private func releaseFiles() throws {
        try MountPaths.forEach(paths) { path throws(Failure) in
            let tree = try MountedTree(path)
            let release = try tree.release()
            let files = WarmText.files(release.objectCount)
            try StandardOutput.write(
                release.objectCount == 0
                    ? "\(path): nothing was kept\n"
                    : "\(path): \(files) released, \(ByteCount(release.byteCount).rounded) may be evicted\n")
        }
    }
}
