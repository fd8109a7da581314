public import Logging
public import ObjectStore
import Synchronization
public import SystemSupport

/// An S3 bucket as an `ObjectStore`.
///
/// A few network threads each run a loop around libcurl's multi interface. A request belongs to one thread from its
/// submission to its end, so its state needs no lock, and its receiver is called there. Callers limit the number of
/// requests in flight: those beyond the number of connections wait in a queue.
public final class S3Client: ObjectStore {
    let context: ClientContext
    private let threads: [NetworkThread]
    private let nextID = Atomic<UInt64>(0)

    /// The minimum number of connections for each thread. With fewer, requests would wait for the connections of one
    /// thread while those of another are idle.
    private static let connectionCountPerThreadMin = 4

    /// Creates a client and starts its threads. It sends no request yet.
    ///
    /// - Parameters:
    ///   - configuration: The bucket, and the way to reach it.
    ///   - credentials: The provider of credentials; `nil` to send unsigned requests.
    ///   - logger: Receives messages on retries, and on settings that responses have corrected.
    ///   - didReceive: Called on a network thread for each part of a response; must return quickly.
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
            // The limit in equal parts; the remainder goes to the first threads.
            let share = (configuration.connectionLimit + count - 1 - index) / count
            return NetworkThread.start(context: context, transferLimit: max(1, share))
        }
    }

    deinit {
        shutdown()
    }

    /// Ends all requests with `.cancelled`, and all threads. Later requests end immediately, on the caller's thread.
    /// May be called more than once.
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
        if context.configuration.directoryBucket != nil, let problem = request.directoryBucketProblem {
            completion(.failure(StoreError(.refused, problem)))
            return UnsentRequest()
        }
        return submit(.list(request, completion: completion), deadline: deadline) { completion(.failure($0)) }
    }

    /// Requests the metadata of an object of the bucket. See `ObjectStore`.
    @discardableResult
    public func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        submit(.head(key, completion: completion), deadline: deadline) { completion(.failure($0)) }
    }

    /// `true` if the bucket is expected to list in the order of keys. A directory bucket lists in no order.
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

    /// The counters of requests and bytes so far, and of requests in flight.
    public var counts: ClientCounts {
        var counts = ClientCounts()
        for thread in threads { thread.meter.add(to: &counts) }
        return counts
    }

    /// The number of entries in listings so far that were not in the form of S3's.
    public var listFlaws: ListFlaws { context.traits.flaws }

    /// The URL of the server, and the region that requests are signed for.
    public var endpoint: (server: String, region: String) {
        let (address, region, _) = context.target()
        return (address.server, region)
    }

    private func submit(
        _ job: QueuedRequest.Job, deadline: RunningClock.Instant, orElse fail: (StoreError) -> Void
    ) -> any StoreRequest {
        let id = nextID.add(1, ordering: .relaxed).oldValue
        let thread = threads[Int(id % UInt64(threads.count))]
        if !thread.submit(QueuedRequest(id: id, deadline: deadline, job: job)) {
            fail(StoreError(.cancelled, "the store's client was shut down"))
        }
        return SubmittedRequest(id: id, thread: thread)
    }
}

extension ListRequest {
    /// The reason why a directory bucket refuses the request; `nil` if it does not ("ListObjectsV2" in the Amazon S3
    /// API Reference). tractfs sends no such request.
    fileprivate var directoryBucketProblem: String? {
        let listing = "the listing of \(prefix.bytes.isEmpty ? "the bucket" : "\(prefix)")"
        if startAfter != nil {
            return
                "\(listing) can't begin behind a key: a directory bucket has no start-after (a bug in tractfs; please report it)"
        }
        guard prefix.bytes.isEmpty || prefix.endsInDelimiter else {
            return
                "\(listing) can't be asked for: a directory bucket's prefixes end in \"/\" (a bug in tractfs; please report it)"
        }
        return nil
    }
}

/// A request that ended before it was sent.
private final class UnsentRequest: StoreRequest {
    func cancel() {}
}

/// A request that a network thread owns.
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
