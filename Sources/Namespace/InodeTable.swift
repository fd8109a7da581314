import ObjectStore
import StateLog
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
    private let log: EntryLog?
    private let parts: [Part]

    private final class Part: Sendable {
        let rows = Mutex(InodeRows())
    }

    /// A table that holds the root, of this key, which the kernel never forgets.
    ///
    /// - Parameters:
    ///   - idMask: Which bits ids may differ in, for tests of ids that collide.
    ///   - log: Where it is written which inodes there are, for the next process.
    init(rootKey: Key, idMask: UInt64 = .max, log: EntryLog? = nil) {
        root = Inode(id: .root, key: rootKey, kind: .directory)
        self.idMask = idMask
        self.log = log
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

    /// The inode numbers of all inodes that the kernel knows. Takes a while.
    var numbers: [UInt64] {
        [root.number]
            + parts.flatMap { part in
                // Made outside of the lock.
                part.rows.withLock { $0.all }.map { $0.row.block.inodeNumber($0.row.index) }
            }
    }

    /// The memory that the rows take, without their blocks, in bytes.
    var byteCount: Int {
        parts.reduce(0) { $0 + $1.rows.withLock { $0.byteCount } }
    }

    /// The inode of an entry, counted as one more lookup: the reply that tells the kernel of it must be sent.
    func recordLookup(_ index: Int, of block: EntryBlock) -> InodeID {
        recordLookup(index, of: block, number: block.inodeNumber(index))
    }

    /// The same where the entry's inode number is known already.
    func recordLookup(_ index: Int, of block: EntryBlock, number: UInt64) -> InodeID {
        let preferred = preferredID(block.preferredID(index, number: number))
        let id = withRows(of: preferred) { rows in
            let (id, row) = rows.recordLookup(index, of: block, preferring: preferred)
            // Under the lock, so that the log has the counts of an inode in their order.
            log?.write(row, of: id)
            return id
        }
        return InodeID(rawValue: id)
    }

    private func preferredID(_ hash: UInt64) -> UInt64 {
        max(hash & idMask, InodeID.firstFree)
    }

    /// The kernel forgets `count` lookups of an inode. The root stays.
    func forget(_ id: InodeID, count: UInt64) {
        if id == .root { return }
        let row = withRows(of: id.rawValue) { rows in
            let row = rows.forget(id.rawValue, count: count)
            if let row { log?.write(row, of: id.rawValue) }
            return row
        }
        // The row is let go outside of the lock, since it may be the last that holds a block.
        withExtendedLifetime(row) {}
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

// MARK: What the next process must know

extension InodeTable: StateOwner {
    /// Takes in the inodes that the log has, which are of these blocks.
    func restore(from blocks: [UInt64: EntryBlock]) throws(StateLogError) {
        guard let log else { return }
        // The block of a record that doesn't hold any more may have been left out when the log was written anew.
        var lacking: Set<UInt64> = []
        try log.log.replay(.inodeRow) { id, content in
            let words = StateLog.words(content)
            if words.count == 2, id >= InodeID.firstFree, let block = blocks[words[0]],
                let row = InodeRow(block: block, packed: words[1])
            {
                lacking.remove(id)
                withRows(of: id) { $0.restore(row, of: id) }
            } else {
                lacking.insert(id)
            }
        } remove: { id in
            lacking.remove(id)
            withRows(of: id) { $0.remove(id) }
        }
        guard lacking.isEmpty else { throw StateLogError("\(lacking.count) inodes are of no entries") }
    }

    func writeState(to log: StateLog) {
        for part in parts {
            // Blocks first, outside of the lock, since they take a while.
            for (_, row) in part.rows.withLock({ $0.all }) { _ = self.log?.write(row.block) }
            part.rows.withLock { rows in
                for (id, row) in rows.all { self.log?.write(row, of: id) }
            }
        }
    }
}
