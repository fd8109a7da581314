import ArgumentParser
import FileSystem
import FuseBridge
import Glibc
import SystemPackage

/// `tractfs warm`.
struct WarmCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm",
        abstract: "Have a mount list whole trees, so that walks through them wait for nothing.",
        discussion: """
            Lists all that is below each folder, with many requests at once, and returns when the mount knows it. That \
            holds for the mount's --metadata-ttl. Ctrl-C ends the listing; what was listed until then stays known.
            """)

    @Flag(help: "List names, sizes and times. Needed: file contents can't be warmed, they are cached as they are read.")
    var metadata = false

    @Argument(help: ArgumentHelp("Folders in mounts.", valueName: "path"), completion: .directory)
    var paths: [String]

    func validate() throws {
        if !metadata {
            throw ValidationError("give --metadata: only names, sizes and times can be warmed, not file contents")
        }
    }

    func run() throws {
        try MountPaths.forEach(paths) { path throws(Failure) in
            var progress = WarmProgressLines(path, on: .onTerminal()) { StandardError.tell($0) }
            let status = try warm(path, telling: &progress)
            try StandardOutput.write("\(progress.summary(status))\n")
        }
    }

    /// How long to wait between two questions, in microseconds: short at first, for what is known already.
    private static let shortestPause: UInt32 = 2_000
    private static let longestPause: UInt32 = 100_000

    /// Warms one tree, and returns what was done in the end.
    private func warm(
        _ path: String, telling progress: inout WarmProgressLines
    ) throws(Failure) -> FileSystem.WarmStatus {
        defer { progress.erase() }
        let status: FileSystem.WarmStatus
        do throws(Errno) {
            // The mount goes on listing until the directory is closed.
            let directory = try MountedDirectory(path)
            try directory.beginWarming()
            status = try finalStatus(of: directory, telling: &progress)
        } catch {
            throw failure(path, error)
        }
        guard case .failure(let failure) = status.outcome else { return status }
        throw Failure("\(path): \(failure.reason), after \(WarmProgressLines.amount(status))")
    }

    private func finalStatus(
        of directory: borrowing MountedDirectory, telling progress: inout WarmProgressLines
    ) throws(Errno) -> FileSystem.WarmStatus {
        var pause = WarmCommand.shortestPause
        while true {
            let status = try directory.warmStatus()
            if status.outcome != nil { return status }
            progress.show(status)
            usleep(pause)
            pause = min(2 * pause, WarmCommand.longestPause)
        }
    }

    private func failure(_ path: String, _ errno: Errno) -> Failure {
        switch errno {
        case .notDirectory: Failure("\(path) is a file; give the folder that it is in")
        case .resourceBusy: Failure("\(path): the mount lists as many trees as it does at once; try again later")
        default: MountPaths.failure(path, errno)
        }
    }
}
