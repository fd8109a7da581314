import ObjectStore
import Synchronization

/// The inodes that the kernel knows, each with its lookup count: how often the kernel was told of it and has not yet
/// forgotten it (libfuse, `fuse_lowlevel_ops.forget`). An inode stays as long as that isn't zero.
///
/// A row is not a copy of a block's entry but says which one it is: 24 bytes with the id. The block stays as long as there
/// is a row of it, also when its listing is gone; a row moves to the block that told of its inode last.
final class InodeTable: Sendable {
    /// Rows are in as many parts, each with its own lock, so that threads seldom meet, and none waits for a large table to
    /// grow.
    static let partCount: UInt64 = 64

    private let root: Inode
    private let idMask: UInt64
    private let parts: [Part]

    private final class Part: Sendable {
        let rows = Mutex(InodeRows())
    }

    /// A table that holds the root, of this key, which the kernel never forgets.
    ///
    /// - Parameter idMask: Which bits ids may differ in, for tests of ids that collide.
    init(rootKey: Key, idMask: UInt64 = .max) {
        root = Inode(id: .root, key: rootKey, kind: .directory)
        self.idMask = idMask
        parts = (0..<Self.partCount).map { _ in Part() }
    }

    private func withRows<R>(of id: UInt64, _ body: (inout InodeRows) -> R) -> R {
        parts[Int(id % Self.partCount)].rows.withLock { body(&$0) }
    }

    /// The inode that the kernel calls `id`.
    func inode(_ id: InodeID) -> Inode? {
        if id == .root { return root }
        // Made outside of the lock.
        guard let row = withRows(of: id.rawValue, { $0[id.rawValue] }) else { return nil }
        return Inode(id: id, key: row.block.key(row.index), kind: row.block.kind(row.index))
    }

    /// How many inodes the kernel knows, the root included.
    var count: Int {
        parts.reduce(1) { $0 + $1.rows.withLock { $0.count } }
    }

    /// The memory that the rows take, without their blocks, in bytes.
    var byteCount: Int {
        parts.reduce(0) { $0 + $1.rows.withLock { $0.byteCount } }
    }

    /// The inode of an entry, counted as one more lookup: the reply that tells the kernel of it must be sent.
    func remember(_ index: Int, of block: EntryBlock) -> InodeID {
        remember(index, of: block, number: block.inodeNumber(index))
    }

    /// The same where the entry's inode number is known already.
    func remember(_ index: Int, of block: EntryBlock, number: UInt64) -> InodeID {
        let preferred = preferredID(block.preferredID(index, number: number))
        let id = withRows(of: preferred) { $0.remember(index, of: block, preferring: preferred) }
        return InodeID(rawValue: id)
    }

    private func preferredID(_ hash: UInt64) -> UInt64 {
        max(hash & idMask, InodeID.firstFree)
    }

    /// The kernel forgets `count` lookups of an inode. The root stays.
    func forget(_ id: InodeID, count: UInt64) {
        if id == .root { return }
        // The row is let go outside of the lock, since it may be the last that holds a block.
        let gone = withRows(of: id.rawValue) { $0.forget(id.rawValue, count: count) }
        withExtendedLifetime(gone) {}
    }

    /// The inodes of keys that `isWanted` says yes to. Takes a while.
    func inodes(where isWanted: (Key) -> Bool) -> [Inode] {
        parts.flatMap { part in
            // Made outside of the lock.
            part.rows.withLock { $0.all }.compactMap { id, row in
                let key = row.block.key(row.index)
                return isWanted(key)
                    ? Inode(id: InodeID(rawValue: id), key: key, kind: row.block.kind(row.index)) : nil
            }
        }
    }

    // MARK: What keeps blocks in memory

    /// The entries of a block that the kernel knows inodes of, and whose rows therefore keep it in memory.
    func inodes(pinning block: EntryBlock) -> [(index: Int, id: InodeID)] {
        (0..<block.count).compactMap { index in
            let preferred = preferredID(block.preferredID(index, number: block.inodeNumber(index)))
            let id = withRows(of: preferred) { rows in
                rows.id(preferring: preferred) { $0.block === block && $0.index == index }
            }
            return id.map { (index, InodeID(rawValue: $0)) }
        }
    }

    /// The inode of the directory of this prefix, if the kernel knows it.
    func directory(_ prefix: Key) -> InodeID? {
        if prefix == root.key { return .root }
        let preferred = preferredID(EntryBlock.preferredID(ofDirectory: Inode.number(of: prefix)))
        let id = withRows(of: preferred) { rows in
            rows.id(preferring: preferred) { $0.block.isDirectory($0.index) && $0.block.key($0.index) == prefix }
        }
        return id.map { InodeID(rawValue: $0) }
    }
}
