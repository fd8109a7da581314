import Glibc
import NIOCore
import NIOHTTP1
import NIOPosix
public import ObjectStore
import Synchronization
import SystemSupport

/// An S3 server under the control of a test: one bucket in memory, real HTTP on a free port of the loopback interface.
///
/// It answers ListObjectsV2, GetObject and HEADs as S3 does, path-style and virtual-host, and logs every request.
/// `script` makes it slow, refuse, lie or change objects. It does not check signatures.
public final class S3TestServer: Sendable {
    /// A request, and its response.
    public struct LogEntry: Sendable {
        /// The request.
        public let request: S3Request
        /// The status of the response; `nil` before it, and without one.
        public internal(set) var status: Int?
        /// The number of bytes of body that were sent.
        public internal(set) var sentByteCount = 0
    }

    private struct State {
        var contents = StoreContents()
        var log: [LogEntry] = []
        var rules: [S3Rule] = []
        var requirements = S3Requirements()
        var directoryBucket: S3DirectoryBucket?
        var listingOrder = ListingOrder.keys

        /// The action of the first rule that takes the request.
        mutating func takeAction(on request: S3Request) -> S3Action? {
            for index in rules.indices where rules[index].takes(request) {
                return rules[index].action
            }
            return nil
        }
    }

    /// The name of the bucket.
    public let bucket: String
    /// The region that the bucket is in.
    public let region = "us-east-1"
    /// At most so many items on a page of a listing.
    let pageLimit: Int
    /// The line between the server and its clients.
    let line = ServerLine()
    private let farSide: ServerSide?
    private let state = Mutex(State())
    private let listener = Mutex<(any Channel)?>(nil)
    /// Keeps the port for this server while it refuses connections.
    private let reservedPort: ReservedPort
    private let boundPort = Mutex(0)
    /// The connections that are open; `nil` while none are taken.
    private let connections = Mutex<[ObjectIdentifier: any Channel]?>([:])

    /// Starts a server of an empty bucket.
    ///
    /// - Parameters:
    ///   - pageLimit: At most so many items on a page of a listing, so that few keys make many pages.
    ///   - line: Where it listens at the far end; on the loopback interface where it is `nil`.
    public init(
        bucket: String = "tract-test", pageLimit: Int = StoreContents.pageLimitMax, line: NetworkLine? = nil
    ) throws {
        self.bucket = bucket
        farSide = line?.serverSide
        self.pageLimit = pageLimit
        reservedPort = try ReservedPort()
        try acceptConnections()
    }

    /// Takes connections, on the same port as ever.
    public func acceptConnections() throws {
        connections.withLock { $0 = [:] }
        // The process's own event loops, which never end. Loops of the server's own would have to be shut down, which
        // NIO reports as an error while a connection is being accepted.
        let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.backlog, value: 1_024)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                self.track(channel)
                return channel.eventLoop.makeCompletedFuture {
                    // Some tests need headers that no decent server would send.
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline(
                        withErrorHandling: true, withOutboundHeaderValidation: false)
                    try channel.pipeline.syncOperations.addHandler(S3Connection(server: self))
                }
            }
        let channel =
            if let farSide { try bootstrap.withBoundSocket(farSide.listeningSocket()).wait() } else {
                try bootstrap.serverChannelOption(.socketOption(NIOBSDSocket.Option(rawValue: SO_REUSEPORT)), value: 1)
                    .bind(host: "127.0.0.1", port: Int(reservedPort.number)).wait()
            }
        boundPort.withLock { $0 = channel.localAddress?.port ?? 0 }
        listener.withLock { $0 = channel }
    }

    /// Closes all connections and refuses new ones, until `acceptConnections`.
    public func refuseConnections() throws {
        try listener.withLock { $0.take() }?.close().wait()
        let open = connections.withLock { $0.take() } ?? [:]
        for channel in open.values { channel.close(promise: nil) }
        for channel in open.values { try channel.closeFuture.wait() }
    }

    /// Remembers a connection until it is closed, and closes one that comes too late.
    private func track(_ channel: any Channel) {
        let isWanted = connections.withLock { connections in
            connections?[ObjectIdentifier(channel)] = channel
            return connections != nil
        }
        if !isWanted { return channel.close(promise: nil) }
        channel.closeFuture.whenComplete { _ in
            self.connections.withLock { _ = $0?.removeValue(forKey: ObjectIdentifier(channel)) }
        }
    }

    /// The number of open connections.
    public var connectionCount: Int { connections.withLock { $0?.count ?? 0 } }

    /// The port that the server listens on, or listened on last.
    public var port: Int { boundPort.withLock(\.self) }

    /// The value of `--endpoint-url`.
    public var endpointURL: String { "http://\(farSide == nil ? "127.0.0.1" : NetworkLine.serverAddress):\(port)" }

    /// The endpoint by a name, for virtual-host addressing: `BUCKET.localhost` is the loopback interface too (RFC
    /// 6761).
    public var namedEndpointURL: String { "http://localhost:\(port)" }

    /// The true answer to a request, if the bucket had these contents.
    func answer(to request: S3Request, from contents: StoreContents) -> S3Response {
        S3Answer(request: request, contents: contents, server: self).response()
    }

    /// The true page that a listing gets now; `nil` where its token is none of ours.
    func page(of listing: ListRequest) -> ListPage? {
        page(of: listing, from: contents)
    }

    /// The page that a listing gets if the bucket has these contents.
    func page(of listing: ListRequest, from contents: StoreContents) -> ListPage? {
        state.withLock { $0.directoryBucket?.isShuffled } == true
            ? contents.shuffledPage(listing, pageLimit: pageLimit)
            : contents.page(listing, in: listingOrder, pageLimit: pageLimit)
    }

    /// The order in which it lists from now on.
    public var listingOrder: ListingOrder {
        get { state.withLock { $0.listingOrder } }
        set { state.withLock { $0.listingOrder = newValue } }
    }

    /// Logs a request and decides on the answer.
    ///
    /// - Returns: The answer, and the index of the log's entry for `note`.
    func respond(to request: S3Request) -> (S3Response, logIndex: Int) {
        let (contents, action, requirements, express, logIndex) = state.withLock { state in
            state.log.append(LogEntry(request: request))
            let action = state.takeAction(on: request)
            let express = state.directoryBucket?.response(to: request)
            return (state.contents, action, state.requirements, express, state.log.count - 1)
        }
        var response = requirements.refusal(of: request) ?? express ?? answer(to: request, from: contents)
        action?.apply(to: &response, request: request, server: self)
        response.delay += line.nextLatency()
        if let time = requirements.time { response.headers["Date"] = httpDate(time) }
        return (response, logIndex)
    }

    /// Notes in the log how far an answer came.
    func note(logIndex: Int, status: Int, sentByteCount: Int) {
        state.withLock { state in
            // The test may have cleared the log meanwhile.
            guard state.log.indices.contains(logIndex) else { return }
            state.log[logIndex].status = status
            state.log[logIndex].sentByteCount += sentByteCount
        }
    }
}

/// Control by a test.
extension S3TestServer: ObjectHolder {
    /// Changes the objects, in one step as seen by requests.
    public func change<Result: Sendable>(_ body: (inout StoreContents) -> Result) -> Result {
        state.withLock { body(&$0.contents) }
    }

    /// The objects as they are now.
    public var contents: StoreContents { state.withLock { $0.contents } }

    /// All requests so far, in the order in which they came.
    public var log: [LogEntry] { state.withLock { $0.log } }

    /// The requests of this kind so far.
    public func requests(_ kind: S3Request.Kind) -> [LogEntry] {
        log.filter { $0.request.kind == kind }
    }

    /// The listings so far, in order, each once: a client may hedge a slow one.
    public var distinctListings: [S3Request] {
        var queries: Set<[String: [UInt8]]> = []
        return requests(.list).map(\.request).filter { queries.insert($0.query).inserted }
    }

    /// The number of GETs so far for bytes, or the rest of them, that another GET has requested, such as hedges.
    public var repeatedGetCount: Int {
        var parts: Set<[Int]> = []
        return requests(.get).map(\.request).count { request in
            !parts.insert([request.key.hashValue, request.range?.upperBound ?? 0]).inserted
        }
    }

    /// Returns the number of distinct bytes of an object that were sent.
    public func distinctSentByteCount(of key: Key) -> Int {
        let sent = requests(.get).filter { $0.request.key == key }.compactMap { entry in
            entry.request.range.map { $0.lowerBound..<$0.lowerBound + entry.sentByteCount }
        }
        var (count, end) = (0, 0)
        for range in sent.sorted(by: { $0.lowerBound < $1.lowerBound }) where range.upperBound > end {
            count += range.upperBound - max(range.lowerBound, end)
            end = range.upperBound
        }
        return count
    }

    /// Forgets the requests so far. Call it while none is being answered.
    public func clearLog() {
        // A hedge that a client dropped may still wait in a socket: each turn of the event loops accepts or reads.
        for _ in 0..<3 {
            for loop in MultiThreadedEventLoopGroup.singleton.makeIterator() { try? loop.submit {}.wait() }
        }
        state.withLock { $0.log = [] }
    }

    /// Applies `action` to requests that match, `count` times, after `skipCount` that are answered normally. The first
    /// script that matches applies, until it is used up.
    public func script(_ matcher: S3Matcher, _ action: S3Action, skipping skipCount: Int = 0, count: Int = .max) {
        let rule = S3Rule(matcher: matcher, action: action, skipCount: skipCount, remainingCount: count)
        state.withLock { $0.rules.append(rule) }
    }

    /// Removes all scripts.
    public func clearScripts() {
        state.withLock { $0.rules = [] }
    }

    /// Delays every response by this time.
    public func setLatency(_ latency: Duration) {
        setLatency(.constant(latency), seed: 0)
    }

    /// Delays every response by a random time.
    public func setLatency(_ latency: Latency, seed: UInt64) {
        line.setLatency(latency, seed: seed)
    }

    /// Limits the bandwidth of all responses together, and of each, in bytes of body a second; `nil` for no limit.
    public func setBandwidth(overall: Int? = nil, perConnection: Int? = nil) {
        line.setBandwidth(overall: overall, perConnection: perConnection)
    }

    /// Refuses requests that are not signed by this access key id; `nil` accepts all.
    public func require(accessKeyID: String?) {
        state.withLock { $0.requirements.accessKeyID = accessKeyID }
    }

    /// Sets the offset of the server's clock, and refuses requests that are signed by another time.
    public func setClock(aheadBySeconds seconds: Int) {
        state.withLock { $0.requirements.clockOffsetSeconds = seconds }
    }

    /// Applies the rules of a directory bucket from now on.
    public func becomeDirectoryBucket(_ rules: S3DirectoryBucket) {
        state.withLock { $0.directoryBucket = rules }
    }

    /// Changes the rules of the directory bucket.
    public func changeDirectoryBucket(_ body: (inout S3DirectoryBucket) -> Void) {
        state.withLock { state in
            guard var rules = state.directoryBucket else { return }
            body(&rules)
            state.directoryBucket = rules
        }
    }

    /// The wrong signatures and tokens that the directory bucket has found so far.
    public var complaints: [String] { state.withLock { $0.directoryBucket?.complaints ?? [] } }

    /// Refuses the bytes of objects without this key.
    public func require(customerKey: S3CustomerKey) {
        state.withLock { $0.requirements.customerKey = customerKey }
    }
}

/// Starts a server, and stops it whatever `body` does.
public func withS3TestServer<Result>(
    bucket: String = "tract-test", pageLimit: Int = StoreContents.pageLimitMax, line: NetworkLine? = nil,
    _ body: (S3TestServer) throws -> Result
) throws -> Result {
    let server = try S3TestServer(bucket: bucket, pageLimit: pageLimit, line: line)
    let result = Swift.Result { try body(server) }
    try server.refuseConnections()
    return try result.get()
}
