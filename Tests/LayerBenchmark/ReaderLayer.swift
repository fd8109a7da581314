import BlockCache
import Dispatch
import ObjectStore
import Reader
import Synchronization

/// The reader and its cache of blocks alone, on a store that costs nothing. Bytes are not looked at.
struct ReaderLayer {
    private static let objectByteCount = 1 << 30
    private static let memoryByteCount = 256 << 20
    private static let randomReadCount = 4_000
    private static let randomReadByteCount = 128 << 10

    /// Measures a stream of reads as large as FUSE's, and small ones at random places; each with a reader of its own.
    func measure() throws {
        try Measurement {
            let stream = stride(from: 0, to: Self.objectByteCount, by: 1 << 20).map { $0..<$0 + 1 << 20 }
            return try read(stream)
        }.report("reader, 1 MiB reads in order")
        try Measurement {
            try read(randomRanges())
        }.report("reader, 128 KiB reads at random")
    }

    private func randomRanges() -> [Range<Int>] {
        // The same places each time: a linear congruential generator (Knuth's MMIX constants).
        var state: UInt64 = 1
        return (0..<Self.randomReadCount).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let place = Int(state >> 33) % (Self.objectByteCount / Self.randomReadByteCount)
            return place * Self.randomReadByteCount..<(place + 1) * Self.randomReadByteCount
        }
    }

    /// Reads one range after the other.
    private func read(_ ranges: [Range<Int>]) throws -> Int {
        let cache = try BlockCache(byteLimit: Self.memoryByteCount)
        let reader = Reader(
            store: InstantStore(), cache: cache, limits: ReaderLimits(readTimeout: .seconds(60)))
        let object = reader.open(
            ObjectVersion(key: "bench", etag: ETag("\"bench\""), byteCount: Self.objectByteCount))
        return try ranges.reduce(0) { sum, range in try sum + read(range, of: object) }
    }

    private func read(_ range: Range<Int>, of object: ObjectReader) throws -> Int {
        let ended = DispatchSemaphore(value: 0)
        let outcome = Mutex<Result<Int, StoreError>>(.success(0))
        let parked = object.read(range) { result in
            outcome.withLock { $0 = result.map(\.byteCount) }
            ended.signal()
        }
        ended.wait()
        return try withExtendedLifetime(parked) { try outcome.withLock { $0 }.get() }
    }
}
