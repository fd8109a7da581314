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
        abstract: "Bring files into a mount's cache, or its listings, before they are needed.",
        discussion: """
            Fetches files, and all that is below folders, into the disk cache of the mount that they are in, many at once, \
            behind what somebody reads meanwhile. Says first what that takes and what the cache can hold, and does nothing if it \
            doesn't fit. What the cache has isn't fetched again, so that after Ctrl-C or an error the same command goes on \
            where it was. The exit status is 0 if all of it is there, 1 if not, and 130 after Ctrl-C.

            --include and --exclude choose among the files by their paths below the folder: "*" stands for any characters, "/" \
            too, "?" for one, "[a-z]" for one of these. A file is taken if it matches an --include, or there is none, and no \
            --exclude.

            What was fetched is evicted like all that was read, the least recently used first. With --keep it isn't, by no \
            mount that shares the cache, and also not after a remount, until --release frees it. That is said of the versions \
            that are in the bucket now. At most four fifths of a cache can be kept. Who mounted may do this, and root.

            With --metadata only the trees are listed: names, sizes and times, which hold for the mount's --metadata-ttl.
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
            "How many files, or pieces of 8 MiB of big ones, to fetch at once (1 to 64; default: \(standardParallel)).",
            valueName: "n"),
        transform: { try Int.read($0) })
    var parallel: Int?

    @Flag(help: "Check what the cache has already against its checksums, and fetch again what is damaged.")
    var verify = false

    @Flag(help: "Say what there is to do, and whether it fits, and fetch nothing.")
    var dryRun = false

    @Flag(help: "Have evictions leave these files.")
    var keep = false

    @Flag(help: "Have evictions take again what --keep has kept at these paths. Fetches nothing.")
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
