import Dispatch
import ObjectStore
import Synchronization
import SystemSupport

/// For commands, which have nothing to do meanwhile: what a store delivers on threads of its own, waited for.
extension ObjectStore {
    /// A page of a listing.
    func page(_ request: ListRequest, deadline: RunningClock.Instant) throws(StoreError) -> ListPage {
        try awaited { completion in list(request, deadline: deadline, completion: completion) }
    }

    /// The first page that can be believed by itself (`ListPage.needsSuccessor`): S3 may give empty ones before it.
    func filledPage(_ request: ListRequest, deadline: RunningClock.Instant) throws(StoreError) -> ListPage {
        var page = try page(request, deadline: deadline)
        var next = request
        while page.needsSuccessor(of: request), let token = page.next, token != next.continuation {
            next.startAfter = nil
            next.continuation = token
            page = page.joined(with: try self.page(next, deadline: deadline))
        }
        return page
    }

    /// The description of an object; `nil` where there is none.
    func description(of key: Key, deadline: RunningClock.Instant) throws(StoreError) -> ListedObject? {
        try awaited { completion in head(key, deadline: deadline, completion: completion) }
    }

    /// Gets a range of an object; the bytes are of no interest.
    func fetch(_ request: RangeRequest, deadline: RunningClock.Instant) throws(StoreError) {
        try awaited { completion in
            get(request, deadline: deadline, receiver: EndReceiver(completion: completion))
        }
    }
}

/// Hears of the end of a GET.
private final class EndReceiver: RangeReceiver {
    private let completion: @Sendable (Result<Void, StoreError>) -> Void

    init(completion: @escaping @Sendable (Result<Void, StoreError>) -> Void) {
        self.completion = completion
    }

    func receive(_ bytes: RawSpan, at offset: Int) {}

    func finish(_ result: Result<Void, StoreError>) {
        completion(result)
    }
}

extension ObjectURLSource {
    /// A URL.
    func url(of key: Key, lifetime: Int, deadline: RunningClock.Instant) throws(StoreError) -> ObjectURL {
        try awaited { makeURL(of: key, lifetime: lifetime, deadline: deadline, completion: $0) }
    }
}

/// Waits for what `ask` has its completion called with.
private func awaited<Value: Sendable>(
    _ ask: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
) throws(StoreError) -> Value {
    let answer = Answer<Value>()
    let arrival = DispatchSemaphore(value: 0)
    ask { result in
        answer.result.withLock { $0 = result }
        arrival.signal()
    }
    arrival.wait()
    guard let result = answer.result.withLock({ $0 }) else { throw StoreError(.timedOut, "no answer") }
    return try result.get()
}

private final class Answer<Value: Sendable>: Sendable {
    let result = Mutex<Result<Value, StoreError>?>(nil)
}
