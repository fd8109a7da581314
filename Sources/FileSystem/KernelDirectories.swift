import Namespace
import Synchronization

/// What the kernel may keep of directories' entries (FOPEN_CACHE_DIR), so that reading them again doesn't come to us.
///
/// The kernel has one copy a directory, filled by whichever handles that use it read, and goes on in it by cookies; these are
/// indices of one listing. So the handles that use the copy of a directory at one time are all of the same listing; who
/// opens it with another one meanwhile reads through us. A handle that uses the copy keeps its listing when it is rewound,
/// since the kernel would put the new entries behind the old ones.
///
/// The copy counts as one of a listing once a handle of that listing has begun to fill it: by then the kernel has opened
/// the handle, and so dropped what it had before. Handles are counted from before their open reply until FUSE_RELEASEDIR,
/// which is longer than the kernel has them.
final class KernelDirectories: Sendable {
    /// How a handle reads.
    enum Use: UInt64, Sendable {
        /// Through us. The kernel's copy stays what it is.
        case none
        /// The kernel drops the copy that it has, and makes one of what this handle reads.
        case begins
        /// From the kernel's copy, as far as there is one.
        case `continues`
    }

    private struct OpenCopy {
        /// Which listing it is of. The handles keep that alive, so no other one has its identity.
        let listing: ObjectIdentifier
        var handleCount: Int
    }

    private let copies = Mutex<[InodeID: OpenCopy]>([:])
    /// How often the kernel was told not to trust names. What it had of entries before counts for nothing: they bring no
    /// names with them that it trusts, and to ask for each would cost more than to read them again.
    private let epoch = Atomic<UInt64>(1)

    /// From now on nothing counts that the kernel has.
    func invalidateAll() {
        epoch.add(1, ordering: .sequentiallyConsistent)
    }

    /// Whether the kernel was told not to trust names since `epoch`.
    func isOver(_ epoch: UInt64) -> Bool {
        self.epoch.load(ordering: .sequentiallyConsistent) != epoch
    }

    /// Decides how a new handle reads, and counts it. Tells the epoch too.
    ///
    /// - Parameter mayBeCopied: Whether the kernel is up to it.
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

    /// Counts a handle that was opened in a process before.
    func restore(_ directory: OpenDirectory) {
        let listing = directory.listingIdentity
        copies.withLock { $0[directory.inode.id, default: OpenCopy(listing: listing, handleCount: 0)].handleCount += 1 }
    }

    /// A handle that uses the copy is no more.
    func close(_ inode: InodeID) {
        copies.withLock { copies in
            guard let copy = copies[inode] else { return }
            copies[inode] =
                copy.handleCount == 1 ? nil : OpenCopy(listing: copy.listing, handleCount: copy.handleCount - 1)
        }
    }
}
