import ObjectStore
import StateLog
import Synchronization

/// Writes entries for the next process to the log: each block once, before the first record that refers to it.
final class EntryLog: Sendable {
    let log: StateLog
    private let writing = Mutex(())

    init(_ log: StateLog) {
        self.log = log
    }

    /// Writes a block unless the log has it. Returns its id there.
    func write(_ block: EntryBlock) -> UInt64 {
        if block.logEdition.load(ordering: .acquiring) == log.edition { return block.logID.load(ordering: .relaxed) }
        // A record that refers to the block must not be written before it.
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

    /// Writes the row of an inode; removes it if the kernel holds no lookup of the inode.
    func write(_ row: InodeRow, of id: UInt64) {
        if row.lookupCount == 0 {
            log.remove(.inodeRow, id: id)
        } else {
            log.set(.inodeRow, id: id, [write(row.block), row.packed])
        }
    }

    /// Returns all blocks of the log by their ids, even those without references.
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
    /// The size of the field that holds the length of a prefix.
    private static let lengthByteCount = 4

    /// The block with its prefix, as a record of the log.
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
        guard bytes.count >= Self.lengthByteCount else { throw StateLogError("a block of entries is truncated") }
        let length: UInt32 = bytes.withUnsafeBytes { $0.integer(at: 0) }
        let start = Self.lengthByteCount + Int(length)
        guard start <= bytes.count else { throw StateLogError("a block of entries is truncated") }
        do throws(DamagedBlock) {
            try self.init(
                prefix: Key(bytes[Self.lengthByteCount..<start]), serialized: Array(bytes[start...]), account: account)
        } catch {
            throw StateLogError("a block of entries is damaged: \(error.reason)")
        }
    }
}
