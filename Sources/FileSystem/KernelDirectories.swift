import Namespace
import Synchronization

/// The kernel's copies of directory entries (FOPEN_CACHE_DIR), which make repeated reads free of requests.
///
/// The kernel has one copy for each directory. All handles that use it fill it as they read, and continue by cookies,
/// which are indices of one listing. So all handles that use the copy of a directory at one time must have the same
/// listing; a handle with another one reads from this process. A handle that uses the copy keeps its listing after a
/// rewind, since the kernel would append the new entries to the old ones.
///
/// The copy counts as one of a listing once a handle of that listing has begun to fill it: by then the kernel has
/// opened the handle and dropped the old copy. Handles are counted from before the reply to their open until
/// FUSE_RELEASEDIR, which is longer than the kernel has them.
final class KernelDirectories: Sendable {
    /// The source of a handle's entries.
    enum Use: UInt64, Sendable {
        /// Only this process: the handle neither reads nor changes the kernel's copy.
        case none
        /// This process, while the kernel drops its copy and creates a new one from what the handle reads.
        case begins
        /// The kernel's copy, as far as it goes.
        case `continues`
    }

    private struct OpenCopy {
        /// The identity of its listing. The handles keep the listing alive, so no other one has this identity.
        let listing: ObjectIdentifier
        var handleCount: Int
    }

    private let copies = Mutex<[InodeID: OpenCopy]>([:])
    /// The number of invalidations of all names. Entries that the kernel copied before are useless: their names are
    /// invalid, and looking each one up would cost more than reading them again.
    private let epoch = Atomic<UInt64>(1)

    /// Invalidates all of the kernel's copies.
    func invalidateAll() {
        epoch.add(1, ordering: .sequentiallyConsistent)
    }

    /// Returns `true` if all names were invalidated since `epoch`.
    func isOver(_ epoch: UInt64) -> Bool {
        self.epoch.load(ordering: .sequentiallyConsistent) != epoch
    }

    /// Decides on the source of a new handle's entries, and counts the handle. Also returns the epoch.
    ///
    /// - Parameter mayBeCopied: `true` if the kernel supports it.
    func open(_ directory: OpenDirectory, mayBeCopied: Bool) -> (use: Use, epoch: UInt64) {
        let epoch = epoch.load(ordering: .sequentiallyConsistent)
        guard mayBeCopied, directory.expiry.remaining(at: .now) != .zero else { return (.none, epoch) }
        let isOurs = copies.withLock { copies in
            let listing = directory.listingIdentity
            guard let copy = copies[directory.inode.id] else {
                copies[directory.inode.id] = OpenCopy(listing: listing, handleCount: 1)
                return true
            }
            guard copy.listing == listing else { return false }
            copies[directory.inode.id]?.handleCount += 1
            return true
        }
        guard isOurs else { return (.none, epoch) }
        return (directory.kernelCopyEpoch == epoch ? .continues : .begins, epoch)
    }

    /// Counts a handle that was opened in a former process.
    func restore(_ directory: OpenDirectory) {
        let listing = directory.listingIdentity
        copies.withLock { $0[directory.inode.id, default: OpenCopy(listing: listing, handleCount: 0)].handleCount += 1 }
    }

    /// Subtracts a handle that used the copy.
    func close(_ inode: InodeID) {
        copies.withLock { copies in
            guard let copy = copies[inode] else { return }
            copies[inode] =
                copy.handleCount == 1 ? nil : OpenCopy(listing: copy.listing, handleCount: copy.handleCount - 1)
        }
    }
}
