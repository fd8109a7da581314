import BlockCache
import Dispatch
import Foundation
import Logging
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import Reader

/// Fetching objects to the disk, concurrently with reads.
@Suite("Fetching to the disk") struct FetchTests {
    private let body = ObjectBody.pattern(seed: 1, byteCount: 20 << 20)

    private func withReader(
        mebibytes: Int = 64, delivery: InMemoryStore.Delivery = .ownThread,
        _ use: (Reader, InMemoryStore, ObjectVersion) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let store = InMemoryStore(delivery: delivery)
            let version = store.put("a", body)
            let blocks = try BlockCache(byteLimit: mebibytes << 20)
            let disk = try DiskCache(
                directory: FilePath(directory + "/cache"), byteLimit: 256 << 20, source: "test",
                queueByteLimit: blocks.byteLimit / 2, didRelease: { blocks.serveWaiting() },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
            defer { disk.shutdown() }
            let limits = ReaderLimits(readTimeout: .seconds(60))
            try use(Reader(store: store, cache: blocks, disk: disk, limits: limits), store, version)
        }
    }

    /// The outcome of one step of a fetch.
    private final class Step: Sendable {
        private let result = Mutex<Result<FetchOutcome, StoreError>?>(nil)
        private let ended = DispatchSemaphore(value: 0)

        func end(_ outcome: Result<FetchOutcome, StoreError>) {
            result.withLock { result in
                #expect(result == nil, "a completion was called twice")
                result = outcome
            }
            ended.signal()
        }

        var hasEnded: Bool { result.withLock { $0 != nil } }

        func wait() throws -> FetchOutcome {
            try #require(ended.wait(timeout: .now() + 30) == .success, "the fetch did not end")
            return try #require(result.withLock { $0 }).get()
        }
    }

    /// Fetches a range in as many steps as needed, and returns the number of fetched bytes.
    private func fetch(_ range: Range<Int>, of object: ObjectReader) throws -> Int {
        var (start, sum) = (range.lowerBound, 0)
        let deadline = ContinuousClock.now + .seconds(60)
        while start < range.upperBound {
            let step = Step()
            let parked = object.fetchToDisk(start..<range.upperBound, completion: step.end)
            switch try withExtendedLifetime(parked, { try step.wait() }) {
            case .present(let end, let fetchedByteCount):
                #expect(end > start)
                (start, sum) = (end, sum + fetchedByteCount)
            case .notNow:
                try #require(ContinuousClock.now < deadline)
                usleep(1_000)
            case let outcome:
                Issue.record("\(outcome)")
                return sum
            }
        }
        return sum
    }

    @Test func `A fetch to the disk requests each missing byte once, in parts of 8 MiB`() throws {
        try withReader { reader, store, version in
            let object = reader.open(version)
            try #expect(fetch(0..<body.byteCount, of: object) == body.byteCount)
            #expect(store.rangeRequests.map(\.range) == [0..<8 << 20, 8 << 20..<16 << 20, 16 << 20..<20 << 20])
            #expect(store.rangeRequests.allSatisfy { $0.isPrefetch })
            #expect(reader.counts.readCount == 0 && reader.counts.storeByteCount == 0)
            try #expect(fetch(0..<body.byteCount, of: object) == 0)
            store.clearLog()
            // The bytes are right, and come from the disk.
            try #expect(object.bytes(5 << 20..<9 << 20) == body.bytes(in: 5 << 20..<9 << 20))
            #expect(store.log.isEmpty)
        }
    }

    @Test func `Bytes that are read during a fetch to the disk are requested once, in either order`() throws {
        try withReader { reader, store, version in
            store.hold()
            let object = reader.open(version)
            let step = Step()
            let parked = object.fetchToDisk(0..<8 << 20, completion: step.end)
            let read = ReadResult()
            _ = object.read(1 << 20..<2 << 20, completion: read.end)
            let other = ReadResult()
            _ = object.read(9 << 20..<10 << 20, completion: other.end)
            store.releaseAll()
            try #expect(read.wait() == body.bytes(in: 1 << 20..<2 << 20))
            _ = try other.wait()
            _ = try withExtendedLifetime(parked) { try step.wait() }
            try _ = fetch(0..<body.byteCount, of: object)
            #expect(store.requestedByteCount == body.byteCount)
        }
    }

    @Test func `A fetch to the disk works with the smallest memory, a little at a time`() throws {
        try withReader(mebibytes: 8) { reader, store, version in
            let object = reader.open(version)
            try #expect(fetch(0..<body.byteCount, of: object) == body.byteCount)
            #expect(store.requestedByteCount == body.byteCount)
        }
    }

    @Test func `A canceled fetch to the disk leaves the received bytes for the next one`() throws {
        try withReader { reader, store, version in
            store.hold()
            let object = reader.open(version)
            let step = Step()
            let parked = object.fetchToDisk(0..<8 << 20, completion: step.end)
            try eventually("a request") { !store.waiting.isEmpty }
            parked?.cancel()
            store.releaseAll()
            #expect(!step.hasEnded)
            try _ = fetch(0..<body.byteCount, of: object)
            try #expect(object.bytes(0..<1 << 20) == body.bytes(in: 0..<1 << 20))
        }
    }

    @Test func `A fetch to the disk ends with the error of its request, or of a changed object`() throws {
        try withReader { reader, store, version in
            let object = reader.open(version)
            store.failNext(with: StoreError(.accessDenied, "no"))
            let step = Step()
            _ = object.fetchToDisk(0..<8 << 20, completion: step.end)
            #expect { try step.wait() } throws: { ($0 as? StoreError)?.code == .accessDenied }
            store.put("a", .text("other"))
            let next = Step()
            _ = object.fetchToDisk(0..<8 << 20, completion: next.end)
            #expect { try next.wait() } throws: { ($0 as? StoreError)?.code == .changed }
        }
    }

    @Test func `A fetch to the disk fails without a disk cache`() throws {
        let store = InMemoryStore()
        let version = store.put("a", body)
        let (reader, _) = try makeReader(store)
        let step = Step()
        _ = reader.open(version).fetchToDisk(0..<body.byteCount, completion: step.end)
        guard case .failing = try step.wait() else {
            Issue.record("it was fetched")
            return
        }
        #expect(store.log.isEmpty)
    }
}
