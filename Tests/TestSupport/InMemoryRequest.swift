public import ObjectStore
import Synchronization

/// A request to an `InMemoryStore`, which the code under test may cancel, and the test may release, fail or serve in
/// pieces.
public final class InMemoryRequest: StoreRequest {
    /// The subject of the request and its receiver.
    enum Work: Sendable {
        case list(ListRequest, @Sendable (Result<ListPage, StoreError>) -> Void)
        case head(Key, @Sendable (Result<ListedObject?, StoreError>) -> Void)
        case get(RangeRequest, any RangeReceiver)
    }

    private struct Progress {
        /// The body of a GET, looked up when its first byte may be sent: from then on the request sends this version,
        /// whatever happens to the object, as in S3.
        var body: ObjectBody?
        /// The number of delivered bytes of the range.
        var deliveredCount = 0
        /// The number of bytes of the range that may be delivered.
        var allowedCount = 0
        /// A Boolean value that is `true` if the request may end after all allowed bytes.
        var mayEnd = false
        /// The error that ends the request in place of success.
        var failure: StoreError?
        var isCancelled = false
        /// A Boolean value that is `true` while a thread calls the receiver. That thread also does the work that comes
        /// meanwhile.
        var isDelivering = false
        var hasEnded = false
    }

    private enum Step {
        case send(ObjectBody, Range<Int>)
        case end(Result<Void, StoreError>)
    }

    /// The most bytes in one call of a receiver. The buffers of a real store are not larger.
    private static let chunkByteCountMax = 65_536

    private let store: InMemoryStore
    private let work: Work
    private let progress = Mutex(Progress())

    init(store: InMemoryStore, work: Work) {
        self.store = store
        self.work = work
    }

    /// The listing that was asked for, `nil` where this is a GET.
    public var listRequest: ListRequest? {
        if case .list(let request, _) = work { request } else { nil }
    }

    /// The range that was asked for, `nil` where this is a listing.
    public var rangeRequest: RangeRequest? {
        if case .get(let request, _) = work { request } else { nil }
    }

    /// A Boolean value that is `true` after a cancellation.
    public var isCancelled: Bool { progress.withLock { $0.isCancelled } }

    /// Ends the request with `cancelled`, also before all allowed bytes were delivered.
    public func cancel() {
        store.stopWaiting(self)
        progress.withLock { $0.isCancelled = true }
        store.deliver { self.proceed() }
    }

    /// Lets the request continue to its end.
    public func release() {
        letThrough(rangeRequest?.range.count ?? 0, mayEnd: true)
    }

    /// Allows the first `byteCount` bytes of the range, and holds the rest.
    public func deliver(first byteCount: Int) {
        letThrough(byteCount, mayEnd: false)
    }

    /// Ends the request with `error`, after the allowed bytes.
    public func fail(with error: StoreError) {
        progress.withLock { $0.failure = error }
        letThrough(0, mayEnd: true)
    }

    private func letThrough(_ byteCount: Int, mayEnd: Bool) {
        if mayEnd { store.stopWaiting(self) }
        progress.withLock { progress in
            progress.allowedCount = max(progress.allowedCount, byteCount)
            progress.mayEnd = progress.mayEnd || mayEnd
        }
        store.deliver { self.proceed() }
    }

    /// Does all that may be done now. A second thread leaves it to the first, because a receiver is called by one
    /// thread at a time.
    private func proceed() {
        while let step = nextStep() {
            switch (step, work) {
            case (.send(let body, let range), .get(_, let receiver)):
                receiver.receive(body.bytes(in: range).span.bytes, at: range.lowerBound)
            case (.end(let result), .get(_, let receiver)):
                store.stopWaiting(self)
                receiver.finish(result)
            case (.end(let result), .list(let request, let completion)):
                store.stopWaiting(self)
                completion(result.flatMap { store.page(request) })
            case (.end(let result), .head(let key, let completion)):
                store.stopWaiting(self)
                completion(result.map { store.description(of: key) })
            case (.send, .list), (.send, .head):
                preconditionFailure("only a GET has a range")
            }
            progress.withLock { $0.isDelivering = false }
        }
    }

    private func nextStep() -> Step? {
        progress.withLock { progress in
            guard !progress.isDelivering, !progress.hasEnded, let step = step(after: &progress) else { return nil }
            progress.isDelivering = true
            if case .end = step { progress.hasEnded = true }
            return step
        }
    }

    private func step(after progress: inout Progress) -> Step? {
        if progress.isCancelled {
            return .end(.failure(StoreError(.cancelled, "the request was cancelled")))
        }
        if case .get(let request, _) = work, progress.deliveredCount < progress.allowedCount {
            switch progress.body.map({ .success($0) }) ?? store.body(for: request) {
            case .failure(let error): return .end(.failure(error))
            case .success(let body): return .send(body, nextRange(of: request, body, &progress))
            }
        }
        guard progress.mayEnd else { return nil }
        return .end(progress.failure.map { .failure($0) } ?? .success(()))
    }

    private func nextRange(of request: RangeRequest, _ body: ObjectBody, _ progress: inout Progress) -> Range<Int> {
        let start = request.range.lowerBound + progress.deliveredCount
        let byteCount = min(progress.allowedCount - progress.deliveredCount, Self.chunkByteCountMax)
        progress.body = body
        progress.deliveredCount += byteCount
        return start..<start + byteCount
    }
}
