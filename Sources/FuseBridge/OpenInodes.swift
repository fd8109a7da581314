import BlockCache
import FileSystem
import Namespace

/// The kernel's id of a backing file.
struct BackingID: RawRepresentable, Hashable, Sendable {
    /// The number in the protocol.
    let rawValue: Int32
}

/// A backing file, which the kernel reads directly.
///
/// The kernel's own reference keeps the file readable. `file` marks it as in use for the cache, so that it is not
/// evicted: its disk space would be freed only after the last release. It is `nil` if an earlier process has registered
/// the file and the cache has lost it since.
struct Backing: Sendable {
    let id: BackingID
    let file: CompleteFile?
}

/// The source from which the kernel reads each open inode.
///
/// The kernel reads all handles of an inode from the same source: through this process, with pages in its cache, or
/// from one backing file. An open reply that differs fails with EIO. So the first open of an inode decides for all
/// handles until the last one is released.
///
/// A handle is recorded before its open reply is sent, and until FUSE_RELEASE is received, so every handle of the
/// kernel is recorded. Handles are not just counted, since FUSE_RELEASE may be resent to a process that has taken over
/// from the one that received it first.
struct OpenInodes {
    private struct OpenInode {
        var handles: Set<Handle>
        /// The backing file; `nil` if reads go through this process.
        let backing: Backing?
    }

    private var inodes: [InodeID: OpenInode] = [:]
    /// The number of backing files.
    private(set) var backingFileCount = 0

    /// Returns `true` if `inode` has handles, so that its source is decided.
    func contains(_ inode: InodeID) -> Bool {
        inodes[inode] != nil
    }

    /// Records a handle.
    ///
    /// - Parameter register: Registers a backing file if there is one. Called for the first handle only.
    /// - Returns: The backing file; `nil` if reads go through this process.
    mutating func open(_ inode: InodeID, _ handle: Handle, register: () -> Backing?) -> BackingID? {
        if let open = inodes[inode] {
            inodes[inode]?.handles.insert(handle)
            return open.backing?.id
        }
        let backing = register()
        if backing != nil { backingFileCount += 1 }
        inodes[inode] = OpenInode(handles: [handle], backing: backing)
        return backing?.id
    }

    /// The inodes with backing files.
    var backingFiles: [(inode: InodeID, id: BackingID)] {
        inodes.compactMap { inode, open in open.backing.map { (inode, $0.id) } }
    }

    /// Removes a handle.
    ///
    /// - Returns: The backing file that no handle needs any more; `nil` for none.
    mutating func release(_ inode: InodeID, _ handle: Handle) -> Backing? {
        guard let open = inodes[inode], open.handles.contains(handle) else { return nil }
        guard open.handles.count == 1 else {
            inodes[inode]?.handles.remove(handle)
            return nil
        }
        inodes[inode] = nil
        if open.backing != nil { backingFileCount -= 1 }
        return open.backing
    }
}
