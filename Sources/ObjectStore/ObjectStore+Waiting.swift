import Dispatch
import Synchronization
public import SystemSupport

/// Calls that wait for the answer of a store, for commands. The store calls completions on threads of its own.
extension ObjectStore {
    /// Returns a page of a listing.
    public func page(_ request: ListRequest, deadline: RunningClock.Instant) throws(StoreError) -> ListPage {
        try awaited { completion in list(request, deadline: deadline, completion: completion) }
    }

    /// Returns the first page that is meaningful by itself (`ListPage.needsSuccessor`): S3 may give empty ones before it.
    public func filledPage(_ request: ListRequest, deadline: RunningClock.Instant) throws(StoreError) -> ListPage {
        var page = try page(request, deadline: deadline)
        var next = request
        while page.needsSuccessor(of: request), let token = page.next, token != next.continuation {
            next.startAfter = nil
            next.continuation = token
            page = page.joined(with: try self.page(next, deadline: deadline))
        }
        return page
    }

    /// Returns the description of an object; `nil` if it doesn't exist.
    public func description(of key: Key, deadline: RunningClock.Instant) throws(StoreError) -> ListedObject? {
        try awaited { completion in head(key, deadline: deadline, completion: completion) }
    }

    /// Gets a range of an object, and discards the bytes.
    public func fetch(_ request: RangeRequest, deadline: RunningClock.Instant) throws(StoreError) {
        try awaited { completion in
            get(request, deadline: deadline, receiver: EndReceiver(completion: completion))
        }
    }
}

/// Receives the end of a GET.
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
    /// Returns a URL.
    public func url(of key: Key, lifetime: Int, deadline: RunningClock.Instant) throws(StoreError) -> ObjectURL {
        try awaited { makeURL(of: key, lifetime: lifetime, deadline: deadline, completion: $0) }
    }
}

/// Calls `start` with a completion, and waits for that to be called.
private func awaited<Value: Sendable>(
    _ start: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
) throws(StoreError) -> Value {
    let answer = Answer<Value>()
    let arrival = DispatchSemaphore(value: 0)
    start { result in
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
