import ObjectStore
import StateLog
import Synchronization

/// Writes the entries that inodes and open directories are of to the log that outlives this process: each block once, before
/// the first record that refers to it.
final class EntryLog: Sendable {
    let log: StateLog
    private let writing = Mutex(())

    init(_ log: StateLog) {
        self.log = log
    }

    /// Sees to it that the log has a block. Returns its id there.
    func write(_ block: EntryBlock) -> UInt64 {
        if block.logEdition.load(ordering: .acquiring) == log.edition { return block.logID.load(ordering: .relaxed) }
        // Who refers to the block must not be faster than who writes it.
        return writing.withLock { _ in
            if block.logID.load(ordering: .relaxed) == 0 { block.logID.store(log.makeID(), ordering: .relaxed) }
            let id = block.logID.load(ordering: .relaxed)
            if block.logEdition.load(ordering: .relaxed) != log.edition {
                let edition = log.set(.entryBlock, id: id, block.logged.span.bytes)
                block.logEdition.store(edition, ordering: .releasing)
            }
            return id
        }
    }

    /// Writes what holds of an inode; that it is gone, where the kernel knows no lookup of it.
    func write(_ row: InodeRow, of id: UInt64) {
        if row.lookupCount == 0 {
            log.remove(.inodeRow, id: id)
        } else {
            log.set(.inodeRow, id: id, [write(row.block), row.packed])
        }
    }

    /// All blocks that the log has, by their ids: also those that nothing refers to any more.
    func blocks(account: BlockAccount) throws(StateLogError) -> [UInt64: EntryBlock] {
        var blocks: [UInt64: EntryBlock] = [:]
        try log.replay(.entryBlock) { id, content throws(StateLogError) in
            let block = try EntryBlock(logged: content, account: account)
            block.logID.store(id, ordering: .relaxed)
            blocks[id] = block
        }
        return blocks
    }
}

extension EntryBlock {
    /// How long a prefix's length is in a record.
    private static let lengthByteCount = 4

    /// The block with its prefix, as it stands in the log.
    fileprivate var logged: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.lengthByteCount + prefix.bytes.count + serialized.count)
        bytes.append(integer: UInt32(prefix.bytes.count))
        bytes += prefix.bytes
        bytes += serialized
        return bytes
    }

    fileprivate convenience init(logged content: RawSpan, account: BlockAccount) throws(StateLogError) {
        let bytes = content.withUnsafeBytes { Array($0) }
        guard bytes.count >= Self.lengthByteCount else { throw StateLogError("a block of entries is cut off") }
        let length: UInt32 = bytes.withUnsafeBytes { $0.integer(at: 0) }
        let start = Self.lengthByteCount + Int(length)
        guard start <= bytes.count else { throw StateLogError("a block of entries is cut off") }
        do throws(DamagedBlock) {
            try self.init(
                prefix: Key(bytes[Self.lengthByteCount..<start]), serialized: Array(bytes[start...]), account: account)
        } catch {
            throw StateLogError("a block of entries is damaged: \(error.reason)")
        }
    }
}
