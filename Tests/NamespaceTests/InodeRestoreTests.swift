import Logging
import ObjectStore
import StateLog
import Testing
import TestSupport

@testable import Namespace

/// A server's inodes with their log.
private struct LoggedInodes {
    let log: StateLog
    let account = BlockAccount()
    let table: InodeTable

    /// Restores the inodes of a log.
    init(_ log: StateLog, idMask: UInt64) throws {
        self.log = log
        let entries = EntryLog(log)
        table = InodeTable(rootKey: "", idMask: idMask, log: entries)
        try table.restore(from: entries.blocks(account: account))
        log.own([.entryBlock, .inodeRow], by: table)
    }
}

@Suite("Restoration of inodes") struct InodeRestoreTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    /// So few that the log is rewritten meanwhile.
    private let rewriteByteCountMin = 20_000

    @Test("the next process restores the kernel's inodes from the log, whenever the old one dies", arguments: 0..<40)
    func areRestored(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let idMask: UInt64 = [.max, 0xfff, 0x80].randomElement(using: &random) ?? .max
        let log = try StateLog.create(rewriteByteCountMin: rewriteByteCountMin, logger: logger)
        var inodes = try LoggedInodes(log, idMask: idMask)
        let prefixes = ["", "a/", "a/b/"] as [Key]
        let entries = prefixes.map { oddEntries(count: 15, below: $0, using: &random) }
        var model: [InodeID: KernelInode] = [:]
        for _ in 0..<5 {
            var blocks: [[EntryBlock]] = []
            for _ in 0..<Int.random(in: 0..<300, using: &random) {
                let directory = Int.random(in: 0..<prefixes.count, using: &random)
                if blocks.isEmpty || Int.random(in: 0..<30, using: &random) == 0 {
                    // The directory is listed again.
                    blocks = zip(entries, prefixes).map { [block(of: $0, prefix: $1, account: inodes.account)] }
                }
                if let block = blocks[directory].randomElement(using: &random), block.count > 0,
                    Int.random(in: 0..<5, using: &random) < 3
                {
                    let index = Int.random(in: 0..<block.count, using: &random)
                    let id = inodes.table.recordLookup(index, of: block)
                    model[id, default: KernelInode(entry: entries[directory][index], prefix: prefixes[directory])]
                        .lookupCount += 1
                } else if let (id, inode) = model.randomElement(using: &random) {
                    let count = UInt64.random(in: 1...inode.lookupCount, using: &random)
                    inodes.table.forget(id, count: count)
                    model[id]?.lookupCount -= count
                    if inode.lookupCount == count { model[id] = nil }
                }
            }
            inodes = try LoggedInodes(
                logAfterKill(of: inodes.log, rewriteByteCountMin: rewriteByteCountMin), idMask: idMask)
            try check(inodes, model, hasOwnIDs: idMask == .max, "seed \(seed)")
        }
        for (id, inode) in model { inodes.table.forget(id, count: inode.lookupCount) }
        #expect(inodes.table.count == 1, "more than the root is left, seed \(seed)")
        // A thread that is rewriting the log may still hold some.
        try eventually("no block is left, seed \(seed)") { inodes.account.byteCount == 0 }
        let last = try LoggedInodes(logAfterKill(of: inodes.log), idMask: idMask)
        #expect(last.table.count == 1, "seed \(seed)")
    }

    /// The kernel's knowledge of an inode.
    private struct KernelInode {
        let entry: DirectoryEntry
        let prefix: Key
        var lookupCount: UInt64 = 0
    }

    private func check(
        _ inodes: LoggedInodes, _ model: [InodeID: KernelInode], hasOwnIDs: Bool, _ comment: Comment
    ) throws {
        #expect(inodes.table.count == model.count + 1, comment)
        for (id, inode) in model {
            let key = inode.entry.key(below: inode.prefix)
            #expect(inodes.table.inode(id) == Inode(id: id, key: key, kind: inode.entry.kind), comment)
            // If ids collide, they depend on which inodes were forgotten.
            guard hasOwnIDs else { continue }
            // The same name gets the same number again.
            let block = block(of: [inode.entry], prefix: inode.prefix, account: BlockAccount())
            if inode.entry.isDirectory { #expect(inodes.table.directory(key) == id, comment) }
            let again = inodes.table.recordLookup(0, of: block)
            #expect(again == id, comment)
            inodes.table.forget(id, count: 1)
        }
    }

    @Test func `restored inodes keep only their own blocks in memory`() throws {
        var random = SeededGenerator(seed: 1)
        let inodes = try LoggedInodes(.create(logger: logger), idMask: .max)
        let entries = (0..<3).map { _ in oddEntries(count: 50, below: "", using: &random) }
        let blocks = entries.map { block(of: $0, prefix: "", account: BlockAccount()) }
        let ids = blocks.map { inodes.table.recordLookup(3, of: $0) }
        inodes.table.forget(ids[1], count: 1)
        let restored = try LoggedInodes(logAfterKill(of: inodes.log), idMask: .max)
        #expect(restored.account.byteCount == blocks[0].byteCount + blocks[2].byteCount)
        #expect(restored.table.inodes(pinning: blocks[0]).isEmpty, "the blocks aren't those of the former process")
        restored.table.forget(ids[0], count: 1)
        #expect(restored.account.byteCount == blocks[2].byteCount)
    }
}
