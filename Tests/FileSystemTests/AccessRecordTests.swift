import ObjectStore
import TestSupport
import Testing

@testable import FileSystem

@Suite("Access record") struct AccessRecordTests {
    private func object(_ key: Key, byteCount: Int = 1_000) -> ObjectVersion {
        ObjectVersion(key: key, etag: ETag("\"0123456789abcdef0123456789abcdef\""), byteCount: byteCount)
    }

    private func open(_ object: ObjectVersion, in record: AccessRecord) throws -> FileAccess {
        let access = try #require(record.access(of: object))
        record.noteOpen(access)
        return access
    }

    /// The counts of all files and folders.
    private func total(_ record: AccessRecord) -> AccessCounts {
        record.snapshot.countsByFolder.values.reduce(into: AccessCounts()) { $0.add($1) }
    }

    // MARK: Parts

    @Test(arguments: [8 << 20, (8 << 20) + 1, (8 << 20) + 63, 100_000_007, ObjectVersion.byteCountLimit])
    func `the part counts of a large file have each byte once, in the right part`(byteCount: Int) {
        let parts = PartCounts(of: byteCount)
        // The whole file, in pieces of odd sizes.
        var (offset, piece) = (0, byteCount / 1_000 + 7)
        while offset < byteCount {
            parts.note(offset..<min(offset + piece, byteCount))
            offset += piece
            piece += 13
        }
        #expect(parts.all.reduce(0, +) == byteCount)
        // Equal parts, except for one byte if the size is no multiple.
        #expect(parts.all.allSatisfy { $0 == byteCount / PartCounts.count || $0 == byteCount / PartCounts.count + 1 })
    }

    @Test func `the part counts of random reads agree with a count of single bytes`() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SeededGenerator(seed: seed)
        let byteCount = PartCounts.count * 131_072 + 17
        let parts = PartCounts(of: byteCount)
        var expected = [Int](repeating: 0, count: PartCounts.count)
        for _ in 0..<200 {
            let start = Int.random(in: 0..<byteCount, using: &random)
            let end = min(start + Int.random(in: 1...300_000, using: &random), byteCount)
            parts.note(start..<end)
            for offset in start..<end { expected[offset * PartCounts.count / byteCount] += 1 }
        }
        #expect(parts.all == expected, "seed \(seed)")
    }

    @Test func `a small file has no part counts`() throws {
        let record = AccessRecord()
        try open(object("small", byteCount: PartCounts.objectByteCountMin - 1), in: record).noteRead(0..<10)
        try open(object("large", byteCount: PartCounts.objectByteCountMin), in: record).noteRead(0..<10)
        let parts = record.snapshot.files.reduce(into: [:]) { $0[$1.object.key] = $1.partByteCounts }
        #expect(parts["small"] == nil && parts["large"]?.first == 10)
    }

    // MARK: Limits

    @Test func `the access record keeps the most read files within its limit, and loses no count`() throws {
        let record = AccessRecord()
        let fileCount = 3 * AccessRecord.fileCountMax
        for index in 0..<fileCount {
            let access = try open(object(Key("sub-\(index % 7)/f\(index)")), in: record)
            // Every hundredth file was read a lot.
            access.noteRead(0..<(index.isMultiple(of: 100) ? 1_000 : 10))
        }
        let snapshot = record.snapshot
        #expect(snapshot.files.count <= AccessRecord.fileCountMax)
        #expect(snapshot.files.count + snapshot.droppedFileCount == fileCount)
        #expect(snapshot.files.count { $0.counts.byteCount == 1_000 } == (fileCount + 99) / 100)
        #expect(Set(snapshot.countsByFolder.keys) == Set((0..<7).map { Key("sub-\($0)/") }))
        let counts = total(record)
        #expect(counts.openCount == fileCount && counts.readCount == fileCount && record.totalOpenCount == fileCount)
        #expect(counts.byteCount == fileCount * 10 + (fileCount + 99) / 100 * 990)
    }

    @Test func `the access record drops no open file, and beyond its limit counts only opens`() throws {
        let record = AccessRecord()
        let first = try open(object("d/first"), in: record)
        for index in 0..<AccessRecord.fileCountMax { _ = try open(object(Key("d/f\(index)")), in: record) }
        first.noteRead(0..<5)
        #expect(record.snapshot.files.contains { $0.object.key == "d/first" && $0.counts.byteCount == 5 })

        let full = AccessRecord()
        let held = try (0..<AccessRecord.fileCountMax).map { try open(object(Key("d/f\($0)")), in: full) }
        full.noteOpen(full.access(of: object("one/more")))
        #expect(full.snapshot.unrecordedOpenCount == 1 && full.totalOpenCount == held.count + 1)
        #expect(full.snapshot.files.count == AccessRecord.fileCountMax)
    }

    @Test func `folders beyond the access record's limit are merged into their parents`() throws {
        let record = AccessRecord()
        let fileCount = 2 * AccessRecord.fileCountMax
        for index in 0..<fileCount {
            try open(object(Key("a/\(index / 100)/\(index)/f")), in: record).noteRead(0..<10)
        }
        let snapshot = record.snapshot
        #expect(snapshot.folders.count <= FolderAccesses.countMax)
        #expect(snapshot.folders.keys.allSatisfy { $0.bytes.isEmpty || $0.hasPrefix("a/") })
        #expect(total(record).byteCount == 10 * fileCount)
    }

    @Test func `a key too long for S3 isn't recorded`() {
        let record = AccessRecord()
        let key = Key([UInt8](repeating: 0x61, count: 1_025))
        #expect(record.access(of: object(key)) == nil)
        let etag = ETag(String(repeating: "x", count: 1_000))
        #expect(record.access(of: ObjectVersion(key: "f", etag: etag, byteCount: 1)) == nil)
    }

    @Test(arguments: [("a/b/c", "a/b/"), ("a/b/", "a/"), ("a", ""), ("a/", ""), ("", ""), ("a//b", "a//"), ("/", "")])
    func `the folder of a key ends at its last delimiter`(key: String, folder: String) {
        #expect(Key(key).folder == Key(folder))
    }
}
