import BlockCache
import FileSystem
import Namespace

/// What the kernel calls a file by that it was lent.
struct BackingID: RawRepresentable, Hashable, Sendable {
    /// The number in the protocol.
    let rawValue: Int32
}

/// A file that the kernel was lent, and reads by itself.
///
/// The kernel's own reference keeps the file readable. The instance is what tells a cache that it is in use, so that it isn't
/// chosen for eviction: its room would only come back with the last release. There is none where a process before has lent the
/// file, and the cache has lost it since.
struct Backing: Sendable {
    let id: BackingID
    let file: CompleteFile?
}

/// How the kernel reads the inodes that are open.
///
/// It reads one inode in one way at a time: through us, with pages in its cache, or from a file that it was lent, one and
/// the same for all handles. An open reply that wants it otherwise fails with EIO. Hence the first open of an inode decides,
/// and holds until the last handle is released.
///
/// Handles are here from before their open reply is sent until FUSE_RELEASE has come. The kernel has its own from after the
/// reply until before it sends FUSE_RELEASE, so it never has a handle that isn't here. They are told apart, not just counted,
/// since a FUSE_RELEASE may come a second time, to a process that has taken over from the one that it came to first.
struct OpenInodes {
    private struct OpenInode {
        var handles: Set<Handle>
        /// What it is read from; `nil` where it is read through us.
        let backing: Backing?
    }

    private var inodes: [InodeID: OpenInode] = [:]
    /// How many files are lent.
    private(set) var lentCount = 0

    /// Whether `inode` has handles, so that it is decided how it is read.
    func contains(_ inode: InodeID) -> Bool {
        inodes[inode] != nil
    }

    /// Takes a handle in.
    ///
    /// - Parameter lend: Lends the kernel a file, if there is one. Called for the first handle only.
    /// - Returns: What the handle is read from; `nil` where it is read through us.
    mutating func open(_ inode: InodeID, _ handle: Handle, lend: () -> Backing?) -> BackingID? {
        if let open = inodes[inode] {
            inodes[inode]?.handles.insert(handle)
            return open.backing?.id
        }
        let backing = lend()
        if backing != nil { lentCount += 1 }
        inodes[inode] = OpenInode(handles: [handle], backing: backing)
        return backing?.id
    }

    /// The inodes that are read from lent files.
    var lent: [(inode: InodeID, id: BackingID)] {
        inodes.compactMap { inode, open in open.backing.map { (inode, $0.id) } }
    }

    /// Ends a handle.
    ///
    /// - Returns: The lent file that no handle needs any more.
    mutating func release(_ inode: InodeID, _ handle: Handle) -> Backing? {
        guard let open = inodes[inode], open.handles.contains(handle) else { return nil }
        guard open.handles.count == 1 else {
            inodes[inode]?.handles.remove(handle)
            return nil
        }
        inodes[inode] = nil
        if open.backing != nil { lentCount -= 1 }
        return open.backing
    }
}
