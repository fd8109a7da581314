import ArgumentParser
import BlockCache
import CommandOutput
import Glibc
import Settings
import SystemPackage
import SystemSupport

/// One call of `tractfs warm` that fetches files: for each mount, a plan and its execution.
struct WarmRun {
    /// The number of failures that are reported individually.
    private static let toldFailureCountMax = 20

    private let paths: [String]
    private let patterns: KeyPatterns
    private let hasPatterns: Bool
    private let options: FetchRun.Options
    private let isDry: Bool
    private let interruption = WarmInterruption()

    /// Creates a run for the paths of a command line.
    ///
    /// - Parameters:
    ///   - hasPatterns: `true` if `patterns` select among the files.
    ///   - isDry: `true` to only print the plan.
    init(_ paths: [String], patterns: KeyPatterns, hasPatterns: Bool, options: FetchRun.Options, isDry: Bool) {
        self.paths = paths
        self.patterns = patterns
        self.hasPatterns = hasPatterns
        self.options = options
        self.isDry = isDry
    }

    /// Runs the whole command.
    ///
    /// - Throws: A nonzero exit status if a part failed, after reporting it.
    func run() throws(ExitCode) {
        interruption.install()
        var mounts: [[MountedTree]] = []
        var hasFailed = hasFailure { () throws(ExitCode) in
            try MountPaths.forEach(paths) { path throws(Failure) in
                let tree = try MountedTree(path)
                if let index = mounts.firstIndex(where: { $0[0].device == tree.device }) {
                    mounts[index].append(tree)
                } else {
                    mounts.append([tree])
                }
            }
        }
        for trees in mounts where !warm(trees) { hasFailed = true }
        if hasFailed { throw .failure }
    }

    private func hasFailure(_ body: () throws(ExitCode) -> Void) -> Bool {
        do throws(ExitCode) { try body() } catch { return true }
        return false
    }

    /// Fetches the files of one mount into its cache. Returns `true` if all of them are cached.
    private func warm(_ trees: [MountedTree]) -> Bool {
        var wanted = WantedFiles()
        var isComplete = true
        let room: DiskCache.Room
        do throws(Failure) {
            // Without a cache, or without a mount, no listing is needed.
            room = try trees[0].cacheRoom()
        } catch {
            StandardError.tell(error.description)
            return false
        }
        for tree in trees {
            do throws(Failure) {
                try add(tree, to: &wanted)
            } catch {
                StandardError.tell(error.description)
                isComplete = false
            }
        }
        guard !wanted.files.isEmpty else { return isComplete }
        do throws(Failure) {
            return try warm(wanted, of: trees, room) && isComplete
        } catch {
            StandardError.tell(error.description)
            return false
        }
    }

    private func add(_ tree: MountedTree, to wanted: inout WantedFiles) throws(Failure) {
        if tree.isFolder {
            var progress = WarmProgressLines(tree.path, on: .onStandardError(hasLines: true))
            _ = try TreeListing(path: tree.path).finish(telling: &progress)
        }
        var line = ProgressLine.onStandardError(hasLines: false)
        defer { line.erase() }
        let count = try wanted.add(tree, matching: patterns, isUse: !isDry, telling: &line)
        if count == 0 {
            throw Failure(hasPatterns ? "no file in \(tree.path) matches" : "there are no files in \(tree.path)")
        }
    }

    private func warm(
        _ wanted: WantedFiles, of trees: [MountedTree], _ room: DiskCache.Room
    ) throws(Failure) -> Bool {
        let plan = WarmPlan(wanted: wanted, room: room, keeps: options.keeps)
        let name = trees.map(\.path).joined(separator: " ")
        try StandardOutput.write("\(name): \(plan.description)\n")
        if let refusal = plan.refusal { throw refusal }
        if isDry { return true }
        let run = FetchRun(wanted, options)
        var progress = FetchProgress(totalByteCount: run.totalByteCount, on: .onStandardError(hasLines: true))
        interruption.note(run)
        var failureCount = 0
        run.finish { counts, failures in
            for failure in failures {
                failureCount += 1
                guard failureCount <= WarmRun.toldFailureCountMax else { break }
                progress.erase()
                StandardError.tell(failure.description)
            }
            progress.show(counts)
        }
        interruption.note(nil)
        progress.erase()
        let counts = run.counts
        try StandardOutput.write("\(name): \(summary(counts, of: wanted, progress))\n")
        return counts.failedFileCount == 0
    }

    private func summary(_ counts: FetchRun.Counts, of wanted: WantedFiles, _ progress: FetchProgress) -> String {
        var parts = [progress.summary(counts)]
        let damaged = counts.damagedBlockCount
        if damaged > 0 {
            parts.append(damaged == 1 ? "1 damaged block fetched again" : "\(damaged) damaged blocks fetched again")
        }
        if counts.failedFileCount > 0 {
            parts.append("\(WarmText.files(counts.failedFileCount)) failed: run it again to go on")
        } else {
            let files = WarmText.files(wanted.files.count)
            parts.append(
                "\(files) \(wanted.files.count == 1 ? "is" : "are") \(options.keeps ? "kept" : "in the cache")")
        }
        return parts.joined(separator: "; ")
    }
}
