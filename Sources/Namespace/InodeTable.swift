import ObjectStore
import StateLog
import Synchronization

/// The inodes that the kernel knows, with their lookup counts: the lookups that were answered and not yet forgotten
/// (libfuse, `fuse_lowlevel_ops.forget`). An inode stays until its count is zero.
///
/// A row refers to a block's entry instead of copying it: 24 bytes with the id. It keeps the block in memory, even
/// after the listing was dropped. A new lookup moves the row to the newest block that has the inode.
final class InodeTable: Sendable {
    /// The number of parts that the rows are divided into. Each has its own lock, so that threads seldom meet, and none
    /// waits for a large table to grow.
    static let partCount: UInt64 = 64

    private let root: Inode
    private let idMask: UInt64
    private let log: EntryLog?
    private let parts: [Part]

    private final class Part: Sendable {
        let rows = Mutex(InodeRows())
    }

    /// Creates a table with the root, which the kernel never forgets.
    ///
    /// - Parameters:
    ///   - idMask: The bits in which ids may differ, for tests of colliding ids.
    ///   - log: The log for the next process.
    init(rootKey: Key, idMask: UInt64 = .max, log: EntryLog? = nil) {
        root = Inode(id: .root, key: rootKey, kind: .directory)
        self.idMask = idMask
        self.log = log
        parts = (0..<Self.partCount).map { _ in Part() }
    }

    private func withRows<R>(of id: UInt64, _ body: (inout InodeRows) -> R) -> R {
        parts[Int(id % Self.partCount)].rows.withLock { body(&$0) }
    }

    /// Returns the inode with the kernel's id `id`.
    func inode(_ id: InodeID) -> Inode? {
        if id == .root { return root }
        // Created outside of the lock.
        guard let row = withRows(of: id.rawValue, { $0[id.rawValue] }) else { return nil }
        return Inode(id: id, key: row.block.key(row.index), kind: row.block.kind(row.index))
    }

    /// The number of inodes that the kernel knows, the root included.
    var count: Int {
        parts.reduce(1) { $0 + $1.rows.withLock { $0.count } }
    }

    /// The inode numbers of all inodes that the kernel knows. Slow.
    var numbers: [UInt64] {
        [root.number]
            + parts.flatMap { part in
                // Created outside of the lock.
                part.rows.withLock { $0.all }.map { $0.row.block.inodeNumber($0.row.index) }
            }
    }

    /// The memory of the rows without their blocks, in bytes.
    var byteCount: Int {
        parts.reduce(0) { $0 + $1.rows.withLock { $0.byteCount } }
    }

    /// Counts a lookup of an entry and returns its inode. The reply that contains it must be sent.
    func recordLookup(_ index: Int, of block: EntryBlock) -> InodeID {
        recordLookup(index, of: block, number: block.inodeNumber(index))
    }

    /// Counts a lookup of an entry with a known inode number.
    func recordLookup(_ index: Int, of block: EntryBlock, number: UInt64) -> InodeID {
        let preferred = preferredID(block.preferredID(index, number: number))
        let id = withRows(of: preferred) { rows in
            let (id, row) = rows.recordLookup(index, of: block, preferring: preferred)
            // Under the lock, so that the log has the counts of an inode in order.
            log?.write(row, of: id)
            return id
        }
        return InodeID(rawValue: id)
    }

    private func preferredID(_ hash: UInt64) -> UInt64 {
        max(hash & idMask, InodeID.firstFree)
    }

    /// Subtracts `count` lookups that the kernel has forgotten. The root stays.
    func forget(_ id: InodeID, count: UInt64) {
        if id == .root { return }
        let row = withRows(of: id.rawValue) { rows in
            let row = rows.forget(id.rawValue, count: count)
            if let row { log?.write(row, of: id.rawValue) }
            return row
        }
        // Released outside of the lock, since the row may be the last reference to a block.
        withExtendedLifetime(row) {}
    }

    /// Returns the inodes with keys that satisfy `isWanted`. Slow.
    func inodes(where isWanted: (Key) -> Bool) -> [Inode] {
        parts.flatMap { part in
            // Created outside of the lock.
            part.rows.withLock { $0.all }.compactMap { id, row in
                let key = row.block.key(row.index)
                return isWanted(key)
                    ? Inode(id: InodeID(rawValue: id), key: key, kind: row.block.kind(row.index)) : nil
            }
        }
    }

    // MARK: References to blocks

    /// Returns the entries of a block that rows refer to, and which thereby keep it in memory.
    func inodes(pinning block: EntryBlock) -> [(index: Int, id: InodeID)] {
        (0..<block.count).compactMap { index in
            let preferred = preferredID(block.preferredID(index, number: block.inodeNumber(index)))
            let id = withRows(of: preferred) { rows in
                rows.id(preferring: preferred) { $0.block === block && $0.index == index }
            }
            return id.map { (index, InodeID(rawValue: $0)) }
        }
    }

    /// Returns the inode of the directory of this prefix; `nil` if the kernel doesn't know it.
    func directory(_ prefix: Key) -> InodeID? {
        if prefix == root.key { return .root }
        let preferred = preferredID(EntryBlock.preferredID(ofDirectory: Inode.number(of: prefix)))
        let id = withRows(of: preferred) { rows in
            rows.id(preferring: preferred) { $0.block.isDirectory($0.index) && $0.block.key($0.index) == prefix }
        }
        return id.map { InodeID(rawValue: $0) }
    }
}

// MARK: State for the next process

extension InodeTable: StateOwner {
    /// Restores the inodes of the log, which refer to these blocks.
    func restore(from blocks: [UInt64: EntryBlock]) throws(StateLogError) {
        guard let log else { return }
        // A rewritten log may lack the block of a record that was later removed.
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
        guard lacking.isEmpty else { throw StateLogError("\(lacking.count) inodes have no entry") }
    }

    func writeState(to log: StateLog) {
        for part in parts {
            // Blocks first and outside of the lock, since they take a while.
            for (_, row) in part.rows.withLock({ $0.all }) { _ = self.log?.write(row.block) }
            part.rows.withLock { rows in
                for (id, row) in rows.all { self.log?.write(row, of: id) }
            }
        }
    }
}
