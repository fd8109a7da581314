import FileSystem
import FuseBridge
import Glibc
import SystemPackage
import SystemSupport

/// Lists everything below a folder through its mount, with many concurrent requests.
struct TreeListing {
    /// The pause between two progress requests, in microseconds: short at first, for trees that are already known.
    private static let shortestPause: UInt32 = 2_000
    private static let longestPause: UInt32 = 100_000

    let path: String

    /// Has the mount list the tree, and returns the final status.
    func finish(telling progress: inout WarmProgressLines) throws(Failure) -> FileSystem.WarmStatus {
        defer { progress.erase() }
        let status: FileSystem.WarmStatus
        do throws(Errno) {
            // The mount continues listing until the directory is closed.
            let directory = try MountedDirectory(path)
            try directory.beginWarming()
            status = try finalStatus(of: directory, telling: &progress)
        } catch {
            throw failure(error)
        }
        guard case .failure(let failure) = status.outcome else { return status }
        throw Failure("\(path): \(failure.reason), after \(WarmProgressLines.amount(status))")
    }

    private func finalStatus(
        of directory: borrowing MountedDirectory, telling progress: inout WarmProgressLines
    ) throws(Errno) -> FileSystem.WarmStatus {
        var pause = TreeListing.shortestPause
        while true {
            let status: FileSystem.WarmStatus
            do throws(Errno) {
                status = try directory.warmStatus()
            } catch .noData {
                // Another process has taken over the mount, and doesn't know of this listing.
                try directory.beginWarming()
                continue
            }
            if status.outcome != nil { return status }
            progress.show(status)
            usleep(pause)
            pause = min(2 * pause, TreeListing.longestPause)
        }
    }

    private func failure(_ errno: Errno) -> Failure {
        switch errno {
        case .notDirectory: Failure("\(path) is a file; give the folder that it is in")
        case .resourceBusy: Failure("\(path): the mount lists as many trees as it does at once; try again later")
        default: MountPaths.failure(path, errno)
        }
    }
}
