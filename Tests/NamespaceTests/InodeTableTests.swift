import ObjectStore
import Testing
import TestSupport

@testable import Namespace

@Suite("Inode table") struct InodeTableTests {
    private let account = BlockAccount()

    @Test("lookup counts equal the kernel's, even if inode ids collide", arguments: 0..<60)
    func countsLookups(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let idMask: UInt64 = [.max, 0xfff, 0x80].randomElement(using: &random) ?? .max
        let table = InodeTable(rootKey: "", idMask: idMask)
        // The same entries in several blocks, as when a directory is listed again.
        let entries = oddEntries(count: 25, below: "", using: &random)
        let blocks = (0..<3).map { _ in block(of: entries, prefix: "", account: account) }
        var model: [InodeID: (entry: DirectoryEntry, lookupCount: UInt64)] = [:]
        for _ in 0..<400 {
            let index = Int.random(in: 0..<entries.count, using: &random)
            if Int.random(in: 0..<5, using: &random) < 3 {
                let id = table.recordLookup(index, of: blocks.randomElement(using: &random) ?? blocks[0])
                let known = model[id]
                #expect(known == nil || known?.entry == entries[index], "seed \(seed)")
                model[id] = (entries[index], (known?.lookupCount ?? 0) + 1)
            } else if let (id, row) = model.randomElement(using: &random) {
                // All lookups that the kernel holds, or fewer; FUSE_BATCH_FORGET is many of these.
                let count = UInt64.random(in: 1...row.lookupCount, using: &random)
                table.forget(id, count: count)
                model[id] = row.lookupCount == count ? nil : (row.entry, row.lookupCount - count)
            }
            #expect(table.count == model.count + 1, "seed \(seed)")
            for (id, row) in model {
                let inode = try #require(table.inode(id), "seed \(seed)")
                #expect(inode == Inode(id: id, key: row.entry.key(below: ""), kind: row.entry.kind), "seed \(seed)")
            }
        }
        for (id, row) in model { table.forget(id, count: row.lookupCount) }
        #expect(table.count == 1, "more than the root is left, seed \(seed)")
    }

    @Test func `forgetting the root or an unknown inode does nothing`() {
        let table = InodeTable(rootKey: "root/")
        table.forget(.root, count: .max)
        table.forget(InodeID(rawValue: 12_345), count: 1)
        #expect(table.inode(.root) == Inode(id: .root, key: "root/", kind: .directory))
        #expect(table.inode(InodeID(rawValue: 12_345)) == nil)
        #expect(table.directory("root/") == .root)
    }

    @Test func `an inode keeps only the newest block with its entry in memory`() {
        let table = InodeTable(rootKey: "")
        var random = SeededGenerator(seed: 1)
        let entries = oddEntries(count: 20, below: "", using: &random)
        var old: EntryBlock? = block(of: entries, prefix: "", account: account)
        var ids: [InodeID] = []
        if let old { ids = (0..<entries.count).map { table.recordLookup($0, of: old) } }
        old = nil
        #expect(account.byteCount > 0, "the block of a dropped listing is gone")
        let new = block(of: entries, prefix: "", account: account)
        #expect(table.inodes(pinning: new).isEmpty)
        for index in entries.indices { #expect(table.recordLookup(index, of: new) == ids[index]) }
        #expect(account.byteCount == new.byteCount)
        #expect(table.inodes(pinning: new).map(\.id) == ids)
        #expect(table.inodes(pinning: new).map(\.index) == Array(entries.indices))
        for (index, entry) in entries.enumerated() where entry.isDirectory {
            #expect(table.directory(entry.key(below: "")) == ids[index])
        }
        #expect(table.directory("nothing/") == nil)
    }

    @Test func `a lookup count that doesn't fit never decreases`() {
        var random = SeededGenerator(seed: 2)
        let block = block(of: oddEntries(count: 9, below: "", using: &random), prefix: "", account: account)
        var row = InodeRow(block: block, index: 3)
        #expect(row.lookupCount == 0 && row.index == 3)
        row.countLookup()
        #expect(row.lookupCount == 1 && row.index == 3)
        row.forget(1)
        #expect(row.lookupCount == 0 && row.index == 3)
        row = InodeRow(block: block, index: 3, lookupCount: InodeRow.lookupCountMax - 1)
        row.forget(1)
        #expect(row.lookupCount == InodeRow.lookupCountMax - 2)
        for _ in 0..<3 { row.countLookup() }
        #expect(row.lookupCount == InodeRow.lookupCountMax && row.index == 3)
        row.forget(InodeRow.lookupCountMax)
        #expect(row.lookupCount == InodeRow.lookupCountMax)
    }

    @Test func `an inode takes few bytes, and forgotten ones free their memory`() {
        let table = InodeTable(rootKey: "")
        let count = 100_000
        var builder = EntryBlock.Builder(prefix: "", reserving: count, account: account)
        for index in 0..<count { builder.append(directory: Array("\(index + count)".utf8)) }
        let block = builder.finish()
        let ids = (0..<count).map { table.recordLookup($0, of: block) }
        #expect(table.count == count + 1)
        let byteCount = table.byteCount
        #expect(byteCount <= count * 70)
        for id in ids.dropLast(100) { table.forget(id, count: 1) }
        #expect(table.count == 101)
        #expect(table.byteCount <= byteCount / 10)
        for id in ids.suffix(100) { #expect(table.inode(id) != nil) }
    }
}
