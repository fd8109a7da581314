public import SystemSupport

/// Blocking requests, for commands that have nothing else to do.
extension ObjectStore {
    /// Returns a page of a listing.
    public func page(_ request: ListRequest, deadline: RunningClock.Instant) throws(StoreError) -> ListPage {
        try awaited { completion in list(request, deadline: deadline, completion: completion) }
    }

    /// Returns the first page and, as long as pages need a successor (`ListPage.needsSuccessor`), the pages after it:
    /// S3 may return empty pages before others.
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

    /// Returns the description of an object; `nil` if there is none.
    public func description(of key: Key, deadline: RunningClock.Instant) throws(StoreError) -> ListedObject? {
        try awaited { completion in head(key, deadline: deadline, completion: completion) }
    }

    /// Gets a range of an object, and discards the bytes.
    public func fetch(_ request: RangeRequest, deadline: RunningClock.Instant) throws(StoreError) {
        try awaited { completion in
            get(request, deadline: deadline, receiver: DiscardingReceiver(completion: completion))
        }
    }
}

/// Discards the bytes of a GET.
private final class DiscardingReceiver: RangeReceiver {
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
    /// Returns a presigned URL.
    public func url(of key: Key, lifetime: Int, deadline: RunningClock.Instant) throws(StoreError) -> ObjectURL {
        try awaited { makeURL(of: key, lifetime: lifetime, deadline: deadline, completion: $0) }
    }
}

/// Calls `request`, and waits for its completion.
private func awaited<Value: Sendable>(
    _ request: (@escaping @Sendable (Result<Value, StoreError>) -> Void) -> Void
) throws(StoreError) -> Value {
    let answer = Monitor<Result<Value, StoreError>?>(nil)
    request { result in answer.change { $0 = result } }
    return try answer.wait { $0 }.get()
}
