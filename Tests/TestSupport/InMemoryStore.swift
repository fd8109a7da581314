import Dispatch
public import ObjectStore
import Synchronization
public import SystemSupport

/// An object store without a network, for the tests of all that is above one.
///
/// A test puts, overwrites and deletes objects, and reads off `log` what was asked for. Requests are answered at once,
/// unless the test said `hold()`: then they wait until it releases them (`InMemoryRequest`), and see the objects of that
/// moment.
public final class InMemoryStore: ObjectStore {
    /// Where completions and receivers are called.
    public enum Delivery: Sendable {
        /// On the thread that asked, released or cancelled, before that call returns.
        case inline
        /// On the store's own thread, as a real store does; one call at a time.
        case ownThread
    }

    /// A request that the store was given.
    public enum LogEntry: Hashable, Sendable {
        case list(ListRequest)
        case head(Key)
        case get(RangeRequest)
    }

    fileprivate struct State {
        var contents = StoreContents()
        /// The order in which it lists.
        var order: ListingOrder
        /// The order in which it lists when so many more pages have been listed.
        var laterOrder: (ListingOrder, pageCount: Int)?
        var log: [LogEntry] = []
        var isHolding = false
        /// Requests that wait for the test, in the order in which they came.
        var waiting: [InMemoryRequest] = []
        /// Errors that the next requests end with.
        var failures: [StoreError] = []
    }

    private let state: Mutex<State>
    private let pageLimit: Int
    /// The order that it is said to list in.
    public let listsInOrder: Bool
    private let queue: DispatchQueue?

    /// An empty store.
    ///
    /// - Parameters:
    ///   - pageLimit: At most so many items on a page of a listing, so that few keys make many pages.
    ///   - delivery: Where completions and receivers are called.
    ///   - order: The order in which it lists.
    ///   - listsInOrder: The order that it is said to list in.
    public init(
        pageLimit: Int = StoreContents.pageLimitMax, delivery: Delivery = .ownThread, order: ListingOrder = .keys,
        listsInOrder: Bool = true
    ) {
        self.pageLimit = pageLimit
        state = Mutex(State(order: order))
        self.listsInOrder = listsInOrder
        switch delivery {
        case .inline: queue = nil
        case .ownThread: queue = DispatchQueue(label: "InMemoryStore")
        }
    }

    /// Asks for a page; it is made up when the request goes on.
    @discardableResult
    public func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest {
        begin(.list(request), InMemoryRequest(store: self, work: .list(request, completion)))
    }

    /// Asks for the description of an object; it is looked up when the request goes on.
    @discardableResult
    public func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        begin(.head(key), InMemoryRequest(store: self, work: .head(key, completion)))
    }

    /// Asks for a range; the object is looked up when the first byte goes out.
    @discardableResult
    public func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest {
        begin(.get(request), InMemoryRequest(store: self, work: .get(request, receiver)))
    }

    /// Logs the request and lets it wait, fail or go on, as the test said.
    private func begin(_ entry: LogEntry, _ request: InMemoryRequest) -> any StoreRequest {
        let (isHeld, failure) = state.withLock { state -> (Bool, StoreError?) in
            state.log.append(entry)
            if state.isHolding {
                state.waiting.append(request)
                return (true, nil)
            }
            return (false, state.failures.isEmpty ? nil : state.failures.removeFirst())
        }
        if let failure {
            request.fail(with: failure)
        } else if !isHeld {
            request.release()
        }
        return request
    }

    /// Runs `step` where this store calls back.
    func deliver(_ step: @escaping @Sendable () -> Void) {
        if let queue {
            queue.async(execute: step)
        } else {
            step()
        }
    }

    /// Takes a request that goes on, or ended, out of those that wait.
    func stopWaiting(_ request: InMemoryRequest) {
        state.withLock { $0.waiting.removeAll { $0 === request } }
    }

    /// The page that a listing gets now.
    public func page(_ request: ListRequest) -> Result<ListPage, StoreError> {
        guard let page = state.withLock({ $0.page(request, pageLimit: pageLimit) }) else {
            return .failure(StoreError(.refused, "InvalidArgument: the continuation token is not one of this store's"))
        }
        return .success(page)
    }

    /// The object as a listing describes it now.
    func description(of key: Key) -> ListedObject? {
        state.withLock { $0.contents[key]?.listed }
    }

    /// The body that a range request reads from, if the object still is the version asked for.
    func body(for request: RangeRequest) -> Result<ObjectBody, StoreError> {
        guard let object = state.withLock({ $0.contents[request.object.key] }) else {
            return .failure(StoreError(.noSuchKey, "NoSuchKey: there is no object \(request.object.key)"))
        }
        guard object.version.etag == request.object.etag, request.range.upperBound <= object.body.byteCount else {
            return .failure(StoreError(.changed, "PreconditionFailed: \(request.object.key) is another version now"))
        }
        return .success(object.body)
    }
}

/// What a test does with the store.
extension InMemoryStore: ObjectHolder {
    /// Changes the objects, in one step as seen by requests.
    public func change<Result: Sendable>(_ body: (inout StoreContents) -> Result) -> Result {
        state.withLock { body(&$0.contents) }
    }

    /// Whatever was asked for so far, in order, whether it succeeded or not.
    public var log: [LogEntry] { state.withLock { $0.log } }

    /// The listings asked for so far.
    public var listRequests: [ListRequest] {
        log.compactMap { if case .list(let request) = $0 { request } else { nil } }
    }

    /// The keys whose descriptions were asked for so far.
    public var headRequests: [Key] {
        log.compactMap { if case .head(let key) = $0 { key } else { nil } }
    }

    /// The ranges asked for so far.
    public var rangeRequests: [RangeRequest] {
        log.compactMap { if case .get(let request) = $0 { request } else { nil } }
    }

    /// How many bytes all the ranges asked for have together.
    public var requestedByteCount: Int { rangeRequests.reduce(0) { $0 + $1.range.count } }

    /// Forgets what was asked for so far.
    public func clearLog() {
        state.withLock { $0.log = [] }
    }

    /// Lists in another order when `pageCount` more pages have been listed, and none of these listings goes on.
    public func lists(in order: ListingOrder, from pageCount: Int) {
        state.withLock { $0.laterOrder = (order, pageCount) }
    }

    /// From now on requests wait until the test releases them.
    public func hold() {
        state.withLock { $0.isHolding = true }
    }

    /// The requests that wait for the test, in the order in which they came.
    public var waiting: [InMemoryRequest] { state.withLock { $0.waiting } }

    /// Lets all waiting requests go on, and those to come be answered at once again.
    public func releaseAll() {
        let released = state.withLock { state in
            state.isHolding = false
            return state.waiting
        }
        released.forEach { $0.release() }
    }

    /// Lets the next `count` requests that don't wait end with `error`, before any byte came.
    public func failNext(_ count: Int = 1, with error: StoreError) {
        state.withLock { $0.failures += Array(repeating: error, count: count) }
    }
}

extension InMemoryStore.State {
    /// The page that a listing gets now.
    fileprivate mutating func page(_ request: ListRequest, pageLimit: Int) -> ListPage? {
        if let (later, pageCount) = laterOrder, request.continuation == nil || order == later {
            if pageCount <= 0 { order = later } else { laterOrder = (later, pageCount - 1) }
        }
        // A listing that began in another order goes on in that one.
        let isOfBefore = request.continuation?.resumeKey != nil
        return contents.page(request, in: isOfBefore ? .keys : order, pageLimit: pageLimit)
    }
}
