import ObjectStore
import SystemSupport
import Testing
import TestSupport

@testable import Namespace

@Suite("Entry blocks") struct EntryBlockTests {
    private let account = BlockAccount()

    @Test(arguments: 0..<100)
    func `entries come out as they went in, also by way of the disk`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let prefix: Key = ["", "a/", "é/b/"].randomElement(using: &random) ?? ""
        let entries = oddEntries(count: Int.random(in: 0...40, using: &random), below: prefix, using: &random)
        let block = block(of: entries, prefix: prefix, account: account)
        try expect(block, has: entries, seed: seed)
        try expect(
            EntryBlock(prefix: prefix, serialized: block.serialized, account: account), has: entries, seed: seed)
        // Entry by entry into another block.
        var builder = EntryBlock.Builder(prefix: prefix, reserving: 1, account: account)
        for index in 0..<block.count { builder.append(index, of: block) }
        let copy = builder.finish()
        #expect(copy.serialized == block.serialized, "seed \(seed)")
    }

    private func expect(_ block: EntryBlock, has entries: [DirectoryEntry], seed: UInt64) throws {
        #expect(block.count == entries.count, "seed \(seed)")
        for (index, entry) in entries.enumerated() {
            #expect(block.entry(index) == entry, "seed \(seed)")
            #expect(block.isDirectory(index) == entry.isDirectory, "seed \(seed)")
            #expect(block.key(index) == entry.key(below: block.prefix), "seed \(seed)")
            #expect(block.inodeNumber(index) == Inode.number(of: entry.key(below: block.prefix)), "seed \(seed)")
            #expect(block.index(of: position(of: entry)) == index, "seed \(seed)")
            #expect(block.firstIndex(notBefore: position(of: entry) + [0]) == index + 1, "seed \(seed)")
        }
        #expect(block.firstIndex(notBefore: []) == 0, "seed \(seed)")
    }

    @Test(arguments: 0..<50)
    func `a place among the entries is that in their keys' order`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let entries = oddEntries(count: 30, below: "", using: &random)
        let block = block(of: entries, prefix: "", account: account)
        for wanted in oddEntries(count: 30, below: "", using: &random) {
            let expected = entries.firstIndex { !(EntryPosition($0) < EntryPosition(wanted)) } ?? entries.count
            #expect(block.firstIndex(notBefore: position(of: wanted)) == expected, "seed \(seed)")
            #expect(
                (block.index(of: position(of: wanted)) != nil) == entries.contains { hasSamePlace($0, wanted) },
                "seed \(seed)")
        }
    }

    private func hasSamePlace(_ left: DirectoryEntry, _ right: DirectoryEntry) -> Bool {
        left.name == right.name && left.isDirectory == right.isDirectory
    }

    @Test func `bytes that are damaged anywhere are no block`() throws {
        var random = SeededGenerator(seed: 1)
        let bytes = block(of: oddEntries(count: 12, below: "p/", using: &random), prefix: "p/", account: account)
            .serialized
        for index in bytes.indices {
            for bit in 0..<8 {
                var damaged = bytes
                damaged[index] ^= 1 << bit
                #expect(throws: DamagedBlock.self, "byte \(index)") {
                    try EntryBlock(prefix: "p/", serialized: damaged, account: account)
                }
            }
            #expect(throws: DamagedBlock.self) {
                try EntryBlock(prefix: "p/", serialized: Array(bytes[..<index]), account: account)
            }
        }
        #expect(throws: DamagedBlock.self) { try EntryBlock(prefix: "p/", serialized: bytes + [0], account: account) }
        #expect(throws: DamagedBlock.self) { try EntryBlock(prefix: "q/", serialized: bytes, account: account) }
    }

    @Test(arguments: 0..<4_000)
    func `bytes that somebody made up with a right checksum are refused or harmless`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var bytes = block(of: oddEntries(count: 6, below: "p/", using: &random), prefix: "p/", account: account)
            .serialized
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let index = Int.random(in: EntryBlock.Offset.count..<bytes.count, using: &random)
            bytes[index] =
                [0, 1, 0x2f, 0x7f, 0xff, UInt8.random(in: 0...255, using: &random)]
                .randomElement(using: &random) ?? 0
        }
        bytes.withUnsafeMutableBytes { bytes in
            let checksum = EntryBlock.checksum(of: UnsafeRawBufferPointer(bytes), prefix: "p/")
            bytes.storeBytes(of: checksum.littleEndian, as: UInt64.self)
        }
        guard let block = try? EntryBlock(prefix: "p/", serialized: bytes, account: account) else { return }
        let entries = (0..<block.count).map { block.entry($0) }
        for (index, entry) in entries.enumerated() {
            #expect((try? Name(entry.name.bytes)) == entry.name, "seed \(seed)")
            #expect(block.index(of: position(of: entry)) == index, "seed \(seed)")
        }
    }

    @Test func `the account has what lives, and nothing else`() throws {
        var random = SeededGenerator(seed: 1)
        let entries = oddEntries(count: 40, below: "", using: &random)
        var blocks = (0..<3).map { _ in block(of: entries, prefix: "", account: account) }
        blocks.append(try EntryBlock(prefix: "", serialized: blocks[0].serialized, account: account))
        #expect(account.byteCount == blocks.reduce(0) { $0 + $1.byteCount })
        #expect(blocks[0].byteCount > blocks[0].serialized.count)
        blocks.removeFirst(2)
        #expect(account.byteCount == blocks.reduce(0) { $0 + $1.byteCount })
        blocks = []
        #expect(account.byteCount == 0)
    }

    @Test func `an ordinary entry takes 40 bytes and its name`() {
        var builder = EntryBlock.Builder(prefix: "subject/", reserving: 1_000, account: account)
        for index in 1_000..<2_000 {
            let name = Array("file\(index).nii.gz".utf8)
            builder.append(file: name, object: object(Key("subject/").appending(name)))
        }
        #expect(builder.lastPosition == ArraySlice("file1999.nii.gz".utf8))
        let block = builder.finish()
        #expect(block.byteCount <= 1_000 * (40 + 15) + 256)
    }

    @Test(arguments: 0..<50)
    func `an entry's id is of the key and one writing of it, wherever it is kept`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let prefix: Key = ["", "a/"].randomElement(using: &random) ?? ""
        let entries = oddEntries(count: 30, below: prefix, using: &random)
        let all = block(of: entries, prefix: prefix, account: account)
        let ids = (0..<all.count).map { id(all, $0) }
        #expect(Set(ids).count == entries.count, "seed \(seed)")
        for (index, entry) in entries.enumerated() {
            let alone = block(of: [entry], prefix: prefix, account: account)
            #expect(id(alone, 0) == ids[index], "seed \(seed)")
            #expect(all.isEntry(index, sameAs: 0, of: alone), "seed \(seed)")
            guard case .file(let object) = entry.kind else { continue }
            for other in rewritten(object) {
                let changed = block(
                    of: [DirectoryEntry(name: entry.name, kind: .file(other))], prefix: prefix, account: account)
                #expect(id(changed, 0) != ids[index], "\(other), seed \(seed)")
                #expect(!all.isEntry(index, sameAs: 0, of: changed), "\(other), seed \(seed)")
            }
        }
    }

    /// The object with one thing about it changed.
    private func rewritten(_ object: ListedObject) -> [ListedObject] {
        let version = object.version
        let time = object.lastModified
        func with(
            etag: ETag? = nil, byteCount: Int? = nil, time changed: Timestamp? = nil, storageClass: String? = nil
        ) -> ListedObject {
            ListedObject(
                version: ObjectVersion(
                    key: version.key, etag: etag ?? version.etag, byteCount: byteCount ?? version.byteCount),
                lastModified: changed ?? time, storageClass: storageClass ?? object.storageClass)
        }
        return [
            with(etag: ETag("\"other\"")), with(etag: ETag("\"0123456789abcdef0123456789abcdef-7\"")),
            with(byteCount: version.byteCount ^ 1), with(storageClass: "SNOW"), with(storageClass: "NEW_CLASS"),
            with(time: Timestamp(seconds: time.seconds, nanoseconds: time.nanoseconds ^ 1)),
            with(time: Timestamp(seconds: time.seconds + 1, nanoseconds: time.nanoseconds)),
        ].filter { $0 != object }
    }

    private func id(_ block: EntryBlock, _ index: Int) -> UInt64 {
        block.preferredID(index, number: block.inodeNumber(index))
    }

    private func position(of entry: DirectoryEntry) -> [UInt8] {
        entry.name.bytes + (entry.isDirectory ? [Key.delimiter] : [])
    }

    private func object(_ key: Key) -> ListedObject {
        let version = ObjectVersion(
            key: key, etag: ETag("\"0123456789abcdef0123456789abcdef\""), byteCount: 1_000_000)
        return ListedObject(version: version, lastModified: Timestamp(seconds: 1_700_000_000))
    }
}

/// A block of these entries.
func block(of entries: [DirectoryEntry], prefix: Key, account: BlockAccount) -> EntryBlock {
    var builder = EntryBlock.Builder(prefix: prefix, reserving: entries.count, account: account)
    for entry in entries {
        switch entry.kind {
        case .directory: builder.append(directory: entry.name.bytes)
        case .file(let object): builder.append(file: entry.name.bytes, object: object)
        }
    }
    return builder.finish()
}

/// Entries of odd names, ETags, times, sizes and storage classes, in their order.
func oddEntries(count: Int, below prefix: Key, using random: inout SeededGenerator) -> [DirectoryEntry] {
    let names = Set(oddKeys(count: count, using: &random).compactMap { try? Name($0.bytes) })
    let entries = names.sorted { Key($0.bytes) < Key($1.bytes) }.map { name in
        DirectoryEntry(
            name: name,
            kind: Int.random(in: 0..<3, using: &random) == 0
                ? .directory : .file(oddObject(prefix.appending(name.bytes), using: &random)))
    }
    return entries.sorted { EntryPosition($0) < EntryPosition($1) }
}

private func oddObject(_ key: Key, using random: inout SeededGenerator) -> ListedObject {
    let digest = "0123456789abcdef0123456789abcdef"
    let etags =
        [
            "\"\(digest)\"", "\"\(digest)-1\"", "\"\(digest)-10000\"", "\"\(digest)-65534\"", "\"\(digest)-65535\"",
            "\"\(digest)-01\"", "\"\(digest)-\"", "\"\(digest.uppercased())\"", digest, "W/\"\(digest)\"", "\"abc\"",
            "\"\"",
            "\"é\"", "\"ffffffffffffffffffffffffffffffff\"", "\"00000000000000000000000000000000\"",
        ].map { ETag($0) } + [
            ETag(standInFor: nil), ETag(standInFor: Timestamp(seconds: 1_700_000_000)),
            ETag(standInFor: Timestamp(seconds: -1, nanoseconds: 999_999_999)),
        ]
    let storageClasses = StorageClassCode.allCases.map(\.text) + ["", "standard", "A_CLASS_OF_NEXT_YEAR"]
    let times = [
        0, -1, 1_700_000_000, -62_135_596_800, 253_402_300_799, 9_223_372_036, -9_223_372_036, 9_223_372_037,
        -9_223_372_037,
    ]
    let version = ObjectVersion(
        key: key, etag: etags.randomElement(using: &random) ?? ETag(""),
        byteCount: [0, 1, 5 << 40, ObjectVersion.byteCountLimit].randomElement(using: &random) ?? 0)
    return ListedObject(
        version: version,
        lastModified: Timestamp(
            seconds: times.randomElement(using: &random) ?? 0,
            nanoseconds: [0, 1, 123_000_000, 999_999_999].randomElement(using: &random) ?? 0),
        storageClass: storageClasses.randomElement(using: &random) ?? "")
}
