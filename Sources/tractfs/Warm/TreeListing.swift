import FileSystem
import Glibc
import MountControl
import SystemPackage
import SystemSupport

/// Lists everything below a folder through its mount, with many concurrent requests.
struct TreeListing {
    /// The pause between two progress requests, in microseconds: short at first, for trees that are already known. The
    /// mount stops listing if no request comes for some seconds.
    private static let shortestPause: UInt32 = 2_000
    private static let longestPause: UInt32 = 100_000

    let path: String

    /// Has the mount list the tree, and returns the final progress.
    func finish(telling lines: inout WarmProgressLines) throws(Failure) -> TreeListingProgress {
        defer { lines.erase() }
        let progress: TreeListingProgress
        do throws(Errno) {
            progress = try finalProgress(in: MountedDirectory(path), telling: &lines)
        } catch {
            throw failure(error)
        }
        guard let failure = progress.failure else { return progress }
        throw Failure("\(path): \(failure.reason), after \(WarmProgressLines.amount(progress))")
    }

    private func finalProgress(
        in directory: borrowing MountedDirectory, telling lines: inout WarmProgressLines
    ) throws(Errno) -> TreeListingProgress {
        var token = try directory.beginTreeListing()
        var pause = TreeListing.shortestPause
        while true {
            let progress: TreeListingProgress
            do throws(Errno) {
                progress = try directory.treeListingProgress(of: token)
            } catch .noData {
                // Another process has taken over the mount, and doesn't know of this listing.
                token = try directory.beginTreeListing()
                continue
            }
            if progress.isDone { return progress }
            lines.show(progress)
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
