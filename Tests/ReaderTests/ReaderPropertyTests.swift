import BlockCache
import ObjectStore
import Reader
import Testing
import TestSupport

/// Random reads, deliveries, errors, cancellations, closes and evictions, with far too little memory.
struct ReaderPropertyTests {
    /// A read in progress, and the bytes that it must return.
    private struct Running {
        let read: ParkedRead
        let result: ReadResult
        let body: ObjectBody
        let range: Range<Int>
        var isCancelled = false
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `Each read ends once, with the right bytes or an error of the store, whatever happens`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let store = InMemoryStore(delivery: .inline)
        let (reader, cache) = try makeReader(store, mebibytes: 8)
        let bodies = (0..<4).map { index in
            ObjectBody.pattern(seed: UInt64(index), byteCount: Int.random(in: 1...(12 << 20), using: &random))
        }
        let versions = bodies.enumerated().map { store.put(Key("\($0)"), $1) }
        var handles: [ObjectReader?] = versions.map { reader.open($0) }
        var cursors = [0, 0, 0, 0]
        var running: [Running] = []
        store.hold()
        for _ in 0..<300 {
            let index = Int.random(in: 0..<4, using: &random)
            let size = bodies[index].byteCount
            switch Int.random(in: 0..<12, using: &random) {
            case 0..<5:
                let isSequential = Bool.random(using: &random) && cursors[index] < size
                let start = isSequential ? cursors[index] : Int.random(in: 0..<size, using: &random)
                let range = start..<min(size, start + Int.random(in: 1...(1 << 20), using: &random))
                cursors[index] = range.upperBound
                let handle = handles[index] ?? reader.open(versions[index])
                handles[index] = handle
                let result = ReadResult()
                let read = handle.read(range, completion: result.end)
                running.append(Running(read: read, result: result, body: bodies[index], range: range))
            case 5..<7:
                guard let request = store.waiting.randomElement(using: &random) else { continue }
                let byteCount = request.rangeRequest?.range.count ?? 0
                request.deliver(first: Int.random(in: 0...byteCount, using: &random))
            case 7..<10:
                store.waiting.randomElement(using: &random)?.release()
            case 10:
                guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
                store.waiting.randomElement(using: &random)?.fail(with: StoreError(.serverFault, "test"))
            default:
                if let victim = running.indices.randomElement(using: &random), running[victim].result.now == nil {
                    running[victim].read.cancel()
                    running[victim].isCancelled = true
                }
                if Bool.random(using: &random) { handles[index] = nil }
            }
        }
        // Reads that wait for memory start requests as others end.
        store.releaseAll()
        check(running, seed: seed)
        handles = []
        #expect(cache.inFlightBlockCount == 0, "seed \(seed)")
    }

    private func check(_ running: [Running], seed: UInt64) {
        for read in running {
            switch read.result.now {
            case .success(let bytes):
                #expect(bytes == read.body.bytes(in: read.range), "seed \(seed), \(read.range)")
            case .failure(let error):
                #expect(error.code == .serverFault, "seed \(seed), \(read.range)")
            case nil:
                #expect(read.isCancelled, "seed \(seed): the read of \(read.range) never ended")
            }
        }
    }
}
