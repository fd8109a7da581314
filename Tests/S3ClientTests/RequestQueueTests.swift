import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

@Suite struct `The queue of requests` {
    private func exchange(_ id: UInt64, isAhead: Bool) -> PendingRequest {
        let object = ObjectVersion(key: Key("f"), etag: ETag("\"1\""), byteCount: 100)
        let operation = GetOperation(
            RangeRequest(object: object, range: 0..<100, isPrefetch: isAhead), bucket: "b", receiver: RangeCollector())
        return PendingRequest(id: id, operation: operation, deadline: .now + .seconds(60))
    }

    private func popped(_ count: Int, from queue: inout RequestQueue) -> [UInt64] {
        (0..<count).compactMap { _ in queue.popFirst() }
    }

    @Test func `requests of readers leave the queue first`() {
        var queue = RequestQueue()
        for id in 0..<6 as Range<UInt64> { queue.append(exchange(id, isAhead: id % 2 == 0)) }
        #expect(popped(7, from: &queue) == [1, 3, 5, 0, 2, 4])
    }

    /// A reader may have started to wait for a prefetch.
    @Test func `no request stays in the queue forever`() {
        var queue = RequestQueue()
        queue.append(exchange(0, isAhead: true))
        var ids: [UInt64] = []
        for id in 1...100 as ClosedRange<UInt64> {
            queue.append(exchange(id, isAhead: false))
            ids += popped(1, from: &queue)
        }
        #expect(ids.contains(0))
    }
}
