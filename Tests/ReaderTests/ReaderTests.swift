import BlockCache
import Dispatch
import ObjectStore
import Reader
import Testing
import TestSupport

/// The requests of a reader to the store, and its answers to reads.
struct ReaderTests {
    static let block = 128 << 10

    @Test(arguments: [0, 1, 4095, 131_071, 131_072, 131_073, 1 << 20, (8 << 20) + 1, 40 << 20])
    func `A sequential read of a file fetches each byte once`(size: Int) throws {
        let store = InMemoryStore()
        let body = ObjectBody.pattern(seed: 7, byteCount: size)
        let (reader, _) = try makeReader(store)
        let object = reader.open(store.put("a", body))
        for start in stride(from: 0, to: size, by: 100_000) {
            let range = start..<min(start + 100_000, size)
            #expect(try object.bytes(range) == body.bytes(in: range))
        }
        #expect(store.requestedByteCount == size)
    }

    @Test func `Two readers of one file fetch it once, and a later one fetches nothing`() throws {
        let store = InMemoryStore()
        let body = ObjectBody.pattern(seed: 1, byteCount: 20 << 20)
        let version = store.put("a", body)
        let (reader, _) = try makeReader(store)
        for _ in 0..<2 {
            DispatchQueue.concurrentPerform(iterations: 2) { _ in
                let object = reader.open(version)
                for start in stride(from: 0, to: body.byteCount, by: Self.block) {
                    let range = start..<start + Self.block
                    #expect((try? object.bytes(range)) == body.bytes(in: range))
                }
            }
        }
        #expect(store.requestedByteCount == body.byteCount)
    }

    @Test func `A prefetched small file is read without another request`() throws {
        let store = InMemoryStore(delivery: .inline)
        let body = ObjectBody.pattern(seed: 1, byteCount: 300_000)
        let version = store.put("a", body)
        let (reader, _) = try makeReader(store)
        store.hold()
        reader.prefetchWhole(version)
        reader.prefetchWhole(version)
        let result = ReadResult()
        _ = reader.open(version).read(0..<4_096, completion: result.end)
        store.releaseAll()
        #expect(try result.wait() == body.bytes(in: 0..<4_096))
        #expect(try reader.open(version).bytes(0..<300_000) == body.bytes(in: 0..<300_000))
        #expect(store.rangeRequests.map(\.range) == [0..<300_000], "nor was it cancelled when a handle was closed")
    }

    @Test func `Nothing is prefetched while memory is short`() throws {
        let store = InMemoryStore()
        let (reader, cache) = try makeReader(store, mebibytes: 8)
        let held = cache.take(31)
        reader.prefetchWhole(store.put("a", .pattern(seed: 1, byteCount: 300_000)))
        #expect(store.rangeRequests.isEmpty)
        withExtendedLifetime(held) {}
    }

    @Test func `Random reads fetch one block each`() throws {
        let store = InMemoryStore()
        let (reader, _) = try makeReader(store)
        let object = reader.open(store.put("a", .pattern(seed: 1, byteCount: 1 << 30)))
        for index in [700, 12, 301, 550, 90, 1000, 420] {
            _ = try object.bytes((index << 20) + 4096..<(index << 20) + 8192)
        }
        #expect(store.rangeRequests.map(\.range.count) == Array(repeating: Self.block, count: 7))
    }

    @Test func `A read is answered as soon as its own bytes have arrived`() throws {
        let store = InMemoryStore(delivery: .inline)
        let body = ObjectBody.pattern(seed: 3, byteCount: 4 << 20)
        let (reader, _) = try makeReader(store)
        let object = reader.open(store.put("a", body))
        store.hold()
        let result = ReadResult()
        _ = object.read(0..<4096, completion: result.end)
        let part = try #require(store.waiting.first)
        part.deliver(first: 4095)
        #expect(result.now == nil)
        part.deliver(first: 4096)
        #expect(result.now == .success(body.bytes(in: 0..<4096)))
        #expect(object.readAvailable(0..<4096)?.byteCount == 4096)
        #expect(object.readAvailable(1..<4097) == nil)
        store.releaseAll()
        #expect(store.rangeRequests.count == 1)
    }

    @Test func `An error fails the reads that lack bytes, and the next read sends a new request`() throws {
        let store = InMemoryStore(delivery: .inline)
        let body = ObjectBody.pattern(seed: 3, byteCount: 1 << 20)
        let (reader, _) = try makeReader(store)
        let object = reader.open(store.put("a", body))
        store.hold()
        let (early, late) = (ReadResult(), ReadResult())
        _ = object.read(0..<4096, completion: early.end)
        _ = object.read(Self.block..<3 * Self.block, completion: late.end)
        let part = try #require(store.waiting.first)
        part.deliver(first: 2 * Self.block)
        let error = StoreError(.unreachable, "reset")
        part.fail(with: error)
        #expect(early.now == .success(body.bytes(in: 0..<4096)))
        #expect(late.now == .failure(error))
        store.releaseAll()
        #expect(try object.bytes(Self.block..<3 * Self.block) == body.bytes(in: Self.block..<3 * Self.block))
        #expect(store.rangeRequests.last?.range.lowerBound == 2 * Self.block)
    }

    @Test func `A canceled read is not completed, and its request is canceled`() throws {
        let store = InMemoryStore(delivery: .inline)
        let (reader, cache) = try makeReader(store)
        let object = reader.open(store.put("a", .pattern(seed: 3, byteCount: 100 << 20)))
        store.hold()
        let result = ReadResult()
        let read = object.read(50 << 20..<(50 << 20) + 4096, completion: result.end)
        let request = try #require(store.waiting.first)
        read.cancel()
        #expect(request.isCancelled)
        store.releaseAll()
        #expect(result.now == nil)
        #expect(cache.inFlightBlockCount == 0)
    }

    @Test func `A canceled read leaves only the part that is being received in flight`() throws {
        let store = InMemoryStore(delivery: .inline)
        let (reader, cache) = try makeReader(store, mebibytes: 128)
        let body = ObjectBody.pattern(seed: 3, byteCount: 100 << 20)
        let version = store.put("a", body)
        var object: ObjectReader? = reader.open(version)
        let range = 50 << 20..<54 << 20
        store.hold()
        let read = try #require(object?.read(range) { _ in })
        let requests = store.waiting
        let begun = try #require(requests.first)
        begun.deliver(first: 1_000)
        read.cancel()
        object = nil
        #expect(!begun.isCancelled)
        #expect(requests.dropFirst().allSatisfy { $0.isCancelled })
        store.releaseAll()
        #expect(cache.inFlightBlockCount == 0)
        let received = try #require(store.rangeRequests.first).range
        store.clearLog()
        let block = received.lowerBound..<received.lowerBound + Self.block
        #expect(try reader.open(version).bytes(block) == body.bytes(in: block))
        #expect(!store.rangeRequests.contains { $0.range.overlaps(received) })
    }

    @Test func `A canceled read may have been the last one that held its object open`() throws {
        let store = InMemoryStore(delivery: .inline)
        let (reader, cache) = try makeReader(store)
        let version = store.put("a", .pattern(seed: 3, byteCount: 100 << 20))
        store.hold()
        let read = {
            let object = reader.open(version)
            return object.read(0..<4096) { _ in withExtendedLifetime(object) {} }
        }()
        read.cancel()
        #expect(store.waiting.isEmpty)
        #expect(cache.inFlightBlockCount == 0)
    }

    @Test func `Closing the last handle cancels prefetches, and the received bytes stay cached`() throws {
        let store = InMemoryStore(delivery: .inline)
        let (reader, cache) = try makeReader(store, mebibytes: 128)
        let version = store.put("a", .pattern(seed: 3, byteCount: 100 << 20))
        var object: ObjectReader? = reader.open(version)
        _ = try object?.bytes(0..<Self.block)
        store.hold()
        // Far enough into the first window for a refill.
        #expect(object?.readAvailable(Self.block..<7 * Self.block) != nil)
        let requests = store.waiting
        #expect(!requests.isEmpty)
        object = nil
        #expect(requests.map(\.isCancelled) == requests.map { _ in true })
        store.releaseAll()
        #expect(cache.inFlightBlockCount == 0)
        #expect(reader.open(version).readAvailable(0..<1 << 20) != nil)
    }

    @Test func `A read of an object that is being overwritten returns old bytes or an error`() throws {
        let store = InMemoryStore()
        let old = ObjectBody.pattern(seed: 1, byteCount: 30 << 20)
        let (reader, _) = try makeReader(store)
        let object = reader.open(store.put("a", old))
        _ = try object.bytes(0..<Self.block)
        let new = store.put("a", .pattern(seed: 2, byteCount: 30 << 20))
        var failed = false
        for start in stride(from: 0, to: old.byteCount, by: Self.block) {
            let range = start..<start + Self.block
            do {
                #expect(try object.bytes(range) == old.bytes(in: range))
            } catch let error as StoreError {
                #expect(error.code == .changed)
                failed = true
            }
        }
        #expect(failed)
        let range = 0..<Self.block
        #expect(try reader.open(new).bytes(range) == ObjectBody.pattern(seed: 2, byteCount: 30 << 20).bytes(in: range))
    }

    @Test(arguments: [8, 32]) func `Sixteen readers with little memory all get their bytes`(mebibytes: Int) throws {
        let store = InMemoryStore()
        let (reader, cache) = try makeReader(store, mebibytes: mebibytes)
        let objects = (0..<16).map { index in
            let body = ObjectBody.pattern(seed: UInt64(index), byteCount: 6 << 20)
            return (reader.open(store.put(Key("\(index)"), body)), body)
        }
        for start in stride(from: 0, to: 6 << 20, by: 1 << 20) {
            let range = start..<start + (1 << 20)
            let results = objects.map { object, _ in
                let result = ReadResult()
                _ = object.read(range, completion: result.end)
                return result
            }
            for ((_, body), result) in zip(objects, results) {
                #expect(try result.wait() == body.bytes(in: range))
            }
        }
        #expect(cache.byteLimit == mebibytes << 20)
    }
}
