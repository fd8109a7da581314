import BlockCache
import FileSystem
import MountControl
import SystemPackage
import SystemSupport

/// The disk cache of the mount that contains a tree.
extension MountedTree {
    /// Returns the capacity of the cache.
    func cacheRoom() throws(Failure) -> DiskCache.Room {
        let directory = try open()
        do throws(Errno) { return try directory.cacheRoom() } catch { throw cacheFailure(error) }
    }

    /// Unpins the tree.
    func release() throws(Failure) -> DiskCache.Release {
        let directory = try open()
        do throws(Errno) { return try directory.release(fileName) } catch { throw cacheFailure(error) }
    }

    /// Returns the failure for an error of a disk cache request.
    func cacheFailure(_ errno: Errno, at path: [UInt8] = []) -> Failure {
        MountedTree.cacheFailure(errno, shown(path))
    }

    /// Returns the failure for an error of a disk cache request about the path `shown`.
    static func cacheFailure(_ errno: Errno, _ shown: String) -> Failure {
        switch errno {
        case .operationNotSupportedByDevice:
            Failure(
                "\(shown): the mount has no disk cache; mount it without --no-cache, with a --cache-dir that it can use"
            )
        case .notPermitted: Failure("\(shown): only who mounted, and root, may say what the cache keeps")
        case .staleNFSFileHandle:
            Failure("\(shown): the object was changed in the bucket meanwhile; run tractfs refresh on it and try again")
        case .noSpace:
            Failure(
                "\(shown): all room in the cache is taken by what is in use or kept; mount with a bigger --cache-size")
        case .diskQuotaExceeded:
            Failure(
                "\(shown): more would be kept than the cache allows; release some, or mount with a bigger --cache-size")
        case .ioError:
            Failure("\(shown): the disk cache can't be written to now, or the mount ends; the mount's log says why")
        default: MountPaths.failure(shown, errno)
        }
    }
}
