public import Logging
public import ObjectStore
import Synchronization
public import SystemSupport

/// An S3 bucket as an `ObjectStore`.
///
/// A few network threads each run a loop around libcurl's multi interface. A request belongs to one of them from its
/// submission to its end, so its state needs no lock, and its receiver is called there. Callers are expected to bound
/// how many requests they have under way: what is beyond the connections waits in a queue.
public final class S3Client: ObjectStore {
    let context: ClientContext
    private let threads: [NetworkThread]
    private let nextID = Atomic<UInt64>(0)

    /// A request belongs to one thread: with fewer connections each, requests would wait for one thread's while another's
    /// are idle.
    private static let connectionCountPerThreadMin = 4

    /// A client, whose threads start now. Nothing is asked of the bucket yet.
    ///
    /// - Parameters:
    ///   - configuration: Which bucket, and how to reach it.
    ///   - credentials: What to sign with; `nil` to send unsigned requests.
    ///   - logger: Told of retries and of what answers corrected.
    ///   - didReceive: Called with each piece of an answer that comes, on a network thread, which it must not keep.
    public init(
        configuration: S3Configuration, credentials: (any CredentialsProvider)?, logger: Logger,
        didReceive: (@Sendable () -> Void)? = nil
    ) {
        CurlLibrary.initialize()
        let context = ClientContext(
            configuration: configuration, credentials: credentials, logger: logger, didReceive: didReceive)
        self.context = context
        let count = max(
            1, min(configuration.networkThreadCount, configuration.connectionLimit / Self.connectionCountPerThreadMin))
        threads = (0..<count).map { index in
            // The limit in even parts, the remainder to the first threads.
            let share = (configuration.connectionLimit + count - 1 - index) / count
            return NetworkThread.start(context: context, transferLimit: max(1, share))
        }
    }

    deinit {
        shutdown()
    }

    /// Ends all requests with `.cancelled` and all threads. Requests that are made later end at once, on the caller's
    /// thread. May be called more than once.
    public func shutdown() {
        for thread in threads { thread.stop() }
        for thread in threads { thread.join() }
    }

    /// Lists a page of the bucket. See `ObjectStore`.
    @discardableResult
    public func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest {
        if context.configuration.directoryBucket != nil, let problem = request.problemOfDirectoryBucket {
            completion(.failure(StoreError(.refused, problem)))
            return UnsentRequest()
        }
        return submit(.list(request, completion: completion), deadline: deadline) { completion(.failure($0)) }
    }

    /// Asks for the description of an object of the bucket. See `ObjectStore`.
    @discardableResult
    public func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        submit(.head(key, completion: completion), deadline: deadline) { completion(.failure($0)) }
    }

    /// `true` if the bucket is expected to list in the order of keys. The listings of a directory bucket have no order.
    public var listsInOrder: Bool {
        context.configuration.listsInOrder && context.configuration.directoryBucket == nil
    }

    /// Gets a range of an object of the bucket. See `ObjectStore`.
    @discardableResult
    public func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest {
        submit(.get(request, receiver: receiver), deadline: deadline) { receiver.finish(.failure($0)) }
    }

    /// What was sent and got so far, and what is under way.
    public var counts: ClientCounts {
        var counts = ClientCounts()
        for thread in threads { thread.meter.add(to: &counts) }
        return counts
    }

    /// The entries of listings so far that were not as S3 would write them.
    public var listFlaws: ListFlaws { context.traits.flaws }

    /// The server that is asked, as a URL, and the region that requests are signed for.
    public var place: (server: String, region: String) {
        let (address, region, _) = context.place()
        return (address.server, region)
    }

    private func submit(
        _ job: Submission.Job, deadline: RunningClock.Instant, orElse fail: (StoreError) -> Void
    ) -> any StoreRequest {
        let id = nextID.add(1, ordering: .relaxed).oldValue
        let thread = threads[Int(id % UInt64(threads.count))]
        if !thread.submit(Submission(id: id, deadline: deadline, job: job)) {
            fail(StoreError(.cancelled, "the store's client was shut down"))
        }
        return SubmittedRequest(id: id, thread: thread)
    }
}

extension ListRequest {
    /// The reason why no directory bucket answers the request; `nil` where it does ("ListObjectsV2" in the Amazon S3 API
    /// Reference). Nothing in tractfs asks so.
    fileprivate var problemOfDirectoryBucket: String? {
        let listing = "the listing of \(prefix.bytes.isEmpty ? "the bucket" : "\(prefix)")"
        if startAfter != nil {
            return
                "\(listing) can't begin behind a key: a directory bucket has no start-after (a mistake of tractfs, please report it)"
        }
        guard prefix.bytes.isEmpty || prefix.endsInDelimiter else {
            return
                "\(listing) can't be asked for: a directory bucket's prefixes end in \"/\" (a mistake of tractfs, please report it)"
        }
        return nil
    }
}

/// A request that has ended before it was sent.
private final class UnsentRequest: StoreRequest {
    func cancel() {}
}

/// A request that a network thread has.
private final class SubmittedRequest: StoreRequest {
    private let id: UInt64
    private let thread: NetworkThread

    init(id: UInt64, thread: NetworkThread) {
        self.id = id
        self.thread = thread
    }

    func cancel() {
        thread.cancel(id)
    }
}
