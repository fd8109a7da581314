import Dispatch
import ObjectStore
import Synchronization
import SystemSupport

/// A store that answers every GET at once with bytes that mean nothing, so that what is above it can be measured alone.
final class InstantStore: ObjectStore {
    /// As many threads as the S3 client has.
    private static let threadCount = 2

    private let queues = (0..<threadCount).map { DispatchQueue(label: "InstantStore \($0)") }
    private let getCount = Atomic<Int>(0)

    /// There is nothing to list; the layers measured here don't ask.
    func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest {
        queues[0].async { completion(.success(ListPage(items: []))) }
        return InstantRequest()
    }

    func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        queues[0].async { completion(.success(nil)) }
        return InstantRequest()
    }

    func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest {
        let answer = InstantRequest()
        let number = getCount.add(1, ordering: .relaxed).oldValue
        queues[number % Self.threadCount].async { answer.deliver(request.range, to: receiver) }
        return answer
    }
}

/// A request to an `InstantStore`.
private final class InstantRequest: StoreRequest {
    /// Bytes come in pieces of this size: libcurl's buffer is as large.
    private static let piece = [UInt8](repeating: 0x5a, count: 256 << 10)

    private let isCancelled = Atomic<Bool>(false)

    func cancel() {
        isCancelled.store(true, ordering: .relaxed)
    }

    func deliver(_ range: Range<Int>, to receiver: any RangeReceiver) {
        var offset = range.lowerBound
        while offset < range.upperBound {
            if isCancelled.load(ordering: .relaxed) {
                return receiver.finish(.failure(StoreError(.cancelled, "the request was cancelled")))
            }
            let byteCount = min(Self.piece.count, range.upperBound - offset)
            receiver.receive(Self.piece.span.bytes.extracting(first: byteCount), at: offset)
            offset += byteCount
        }
        receiver.finish(.success(()))
    }
}
