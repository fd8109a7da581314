import BlockCache
import Logging
import ObjectStore
import SystemPackage
import TestSupport
import Testing

@testable import Reader

/// Holes on a disk that has no time for any block of a reader: the queue for them has no room.
@Suite struct HoleTests {
    private let body = ObjectBody.pattern(seed: 1, byteCount: 10 << 20)

    private func withSlowDisk(
        mebibytes: Int = 64, refetchDelay: Duration? = nil,
        _ use: (Reader, DiskCache, InMemoryStore, ObjectVersion) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let store = InMemoryStore()
            let version = store.put("a", body)
            let blocks = try BlockCache(byteLimit: mebibytes << 20)
            let disk = try DiskCache(
                directory: FilePath(directory + "/cache"), byteLimit: 256 << 20, source: "test",
                queueByteLimit: 0, didRelease: { blocks.serveWaiting() },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            defer { disk.shutdown() }
            let limits = ReaderLimits(readTimeout: .seconds(60), refetchDelay: refetchDelay)
            try use(Reader(store: store, cache: blocks, disk: disk, limits: limits), disk, store, version)
        }
    }

    private func read(_ range: Range<Int>, of object: ObjectReader) throws {
        for start in stride(from: range.lowerBound, to: range.upperBound, by: 1 << 20) {
            let piece = start..<min(start + 1 << 20, range.upperBound)
            try #expect(object.bytes(piece) == body.bytes(in: piece))
        }
    }

    /// Waits until nothing is in flight and nothing waits to be written.
    private func settle(_ reader: Reader, _ disk: DiskCache) throws {
        try eventually("a quiet mount") { reader.cache.inFlightBlockCount == 0 && !disk.isWriting }
    }

    @Test(arguments: [8, 64])
    func `Holes of an object that was read to its end are stored once, with its handles closed`(mebibytes: Int) throws {
        try withSlowDisk(mebibytes: mebibytes) { reader, disk, store, version in
            try read(0..<body.byteCount, of: reader.open(version))
            try settle(reader, disk)
            #expect(reader.holeCounts.skippedByteCount == body.byteCount)
            store.clearLog()
            try eventually("a complete object") {
                reader.fillHoles()
                return try #require(reader.open(version).diskObject).absent.isEmpty
            }
            // All blocks are still in the bigger memory.
            #expect((store.requestedByteCount > 0) == (mebibytes < 10))
            #expect(store.requestedByteCount <= body.byteCount && store.rangeRequests.allSatisfy(\.isPrefetch))
            try eventually("an exact count") { reader.holeCounts.storedLaterByteCount == body.byteCount }
            store.clearLog()
            for _ in 0..<3 { reader.fillHoles() }
            try read(0..<body.byteCount, of: reader.open(version))
            #expect(store.log.isEmpty)
        }
    }

    @Test func `Nothing is fetched again for an object of which only a part was read`() throws {
        try withSlowDisk { reader, disk, store, version in
            let object = reader.open(version)
            try read(0..<2 << 20, of: object)
            try settle(reader, disk)
            #expect(reader.holeCounts.skippedByteCount > 0)
            store.clearLog()
            for _ in 0..<3 { reader.fillHoles() }
            #expect(store.log.isEmpty)
            // A pause is not the end: the first holes count once the rest has been read.
            try read(2 << 20..<body.byteCount, of: object)
            try eventually("a complete object") {
                reader.fillHoles()
                return try #require(object.diskObject).absent.isEmpty
            }
        }
    }

    @Test func `Holes are not filled while reads wait`() throws {
        try withSlowDisk { reader, disk, store, version in
            let other = store.put("b", body)
            try read(0..<body.byteCount, of: reader.open(version))
            try settle(reader, disk)
            store.clearLog()
            for index in 0..<4 {
                // From the end, so that no prefetched byte answers it.
                let start = body.byteCount - (index + 1) * 2 << 20
                try #expect(reader.open(other).bytes(start..<start + 1) == body.bytes(in: start..<start + 1))
                reader.fillHoles()
            }
            #expect(store.rangeRequests.allSatisfy { $0.object == other })
        }
    }

    @Test func `Holes of an object that was overwritten are given up at the first response`() throws {
        try withSlowDisk(mebibytes: 8) { reader, disk, store, version in
            try read(0..<body.byteCount, of: reader.open(version))
            try settle(reader, disk)
            store.put("a", .text("other"))
            store.clearLog()
            try eventually("a request") {
                reader.fillHoles()
                return !store.log.isEmpty
            }
            try settle(reader, disk)
            let requestCount = store.log.count
            #expect(requestCount <= HoleFilling.inFlightCountMax)
            for _ in 0..<3 { reader.fillHoles() }
            #expect(store.log.count == requestCount)
            // Blocks that are still in memory need no request.
            #expect(reader.holeCounts.storedLaterByteCount < body.byteCount)
        }
    }

    @Test func `The reader's own thread completes an object, each time that it is needed`() throws {
        try withSlowDisk(refetchDelay: .milliseconds(10)) { reader, _, store, version in
            for version in [version, store.put("b", body)] {
                try read(0..<body.byteCount, of: reader.open(version))
                try eventually("a complete object") { try #require(reader.open(version).diskObject).absent.isEmpty }
            }
        }
    }

    @Test func `At most four pieces of 8 MiB are in flight, and none is requested again while the disk is busy`() throws
    {
        try withSlowDisk { reader, _, _, version in
            var filling = HoleFilling(reader.open(version), missing: RangeSet(0..<80))
            #expect(filling.nextPiece() == 0..<8 << 20)
            #expect(filling.nextPiece() == 8 << 20..<10 << 20)
            #expect(filling.nextPiece() == nil)
            filling.noteEnd(of: 0..<8 << 20, .notNow)
            #expect(filling.nextPiece() == nil && !filling.hasEnded)
            filling.noteEnd(of: 8 << 20..<10 << 20, .present(upTo: 9 << 20, fetchedByteCount: 1 << 20))
            #expect(filling.nextPiece() == 0..<8 << 20)
            #expect(filling.nextPiece() == 9 << 20..<10 << 20)
            filling.noteEnd(of: 0..<8 << 20, .noRoom)
            #expect(!filling.hasEnded)
            filling.noteEnd(of: 9 << 20..<10 << 20, .present(upTo: 10 << 20, fetchedByteCount: 1 << 20))
            #expect(filling.hasEnded)
            filling = HoleFilling(reader.open(version), missing: RangeSet([0..<1, 2..<3, 4..<5, 6..<7, 8..<9]))
            for index in 0..<4 { #expect(filling.nextPiece() == 2 * index << 17..<(2 * index + 1) << 17) }
            #expect(filling.nextPiece() == nil)
        }
    }

    @Test func `The holes of the oldest object and of scattered reads are forgotten beyond the limits`() {
        var table = HoleTable()
        func object(_ number: Int) -> ObjectVersion {
            ObjectVersion(key: Key("\(number)"), etag: ETag("e"), byteCount: 1 << 40)
        }
        for number in 0...HoleTable.objectCountMax { table.note(7, of: object(number)) }
        #expect(table.objects.count == HoleTable.objectCountMax)
        #expect(table[object(0)].isEmpty && table[object(1)] == RangeSet(7..<8))
        for index in 0..<HoleTable.rangeCountMax { table.note(2 * index + 100, of: object(1)) }
        #expect(table[object(1)].isEmpty && table.objects.count == HoleTable.objectCountMax - 1)
    }
}
