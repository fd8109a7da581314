import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A small HTTP service with the answers of a test, for credentials of machines, containers and sign-in portals.
public final class ServiceTestServer: Sendable {
    /// A request that came.
    public struct Request: Sendable {
        /// Such as "GET".
        public let method: String
        /// Path and query, as they were sent.
        public let target: String
        /// Names in lower case.
        public let headers: [String: String]
        /// The body as text.
        public let body: String
    }

    /// An answer.
    public struct Answer: Sendable {
        /// The status; 0 for no answer at all, the connection stays open.
        public var status: Int
        /// The body.
        public var body: String
        /// Further headers.
        public var headers: [String: String]

        /// An answer; 200 with this body, if nothing else is said.
        public init(_ body: String = "", status: Int = 200, headers: [String: String] = [:]) {
            self.status = status
            self.body = body
            self.headers = headers
        }

        /// No answer: the service takes the request and is silent.
        public static let silence = Answer(status: 0)
    }

    private struct State {
        var log: [Request] = []
        var answer: @Sendable (Request) -> Answer
    }

    private let state: Mutex<State>
    private let listener = Mutex<(any Channel)?>(nil)

    /// Starts a server on a free port of the loopback interface.
    public convenience init(answering answer: @escaping @Sendable (Request) -> Answer) throws {
        try self.init(at: ("127.0.0.1", 0), threads: .singleton, answering: answer)
    }

    /// Starts a server.
    ///
    /// - Parameters:
    ///   - address: Where it listens.
    ///   - threads: What serves it, in the network namespace that they were started in.
    init(
        at address: (host: String, port: Int), threads: MultiThreadedEventLoopGroup,
        answering answer: @escaping @Sendable (Request) -> Answer
    ) throws {
        state = Mutex(State(answer: answer))
        let channel = try ServerBootstrap(group: threads)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Connection(server: self))
                }
            }
            .bind(host: address.host, port: address.port).wait()
        listener.withLock { $0 = channel }
    }

    /// Takes no more connections.
    public func stop() throws {
        try listener.withLock { $0.take() }?.close().wait()
    }

    /// The service's URL, without a slash at its end.
    public var url: String { "http://127.0.0.1:\(listener.withLock { $0?.localAddress?.port ?? 0 })" }

    /// The requests so far.
    public var log: [Request] { state.withLock { $0.log } }

    /// Sets the answers from now on.
    public func answer(_ answer: @escaping @Sendable (Request) -> Answer) {
        state.withLock { $0.answer = answer }
    }

    private func respond(to request: Request) -> Answer {
        let answer = state.withLock { state in
            state.log.append(request)
            return state.answer
        }
        return answer(request)
    }

    /// One connection.
    private final class Connection: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let server: ServiceTestServer
        private var head: HTTPRequestHead?
        private var body = ByteBuffer()

        init(server: ServiceTestServer) {
            self.server = server
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                self.head = head
                body.clear()
            case .body(var bytes): body.writeBuffer(&bytes)
            case .end: answer(context)
            }
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            context.close(promise: nil)
        }

        private func answer(_ context: ChannelHandlerContext) {
            guard let head else { return context.close(promise: nil) }
            let answer = server.respond(
                to: Request(
                    method: head.method.rawValue, target: head.uri,
                    headers: Dictionary(
                        head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 }),
                    body: String(buffer: body)))
            guard answer.status != 0 else { return }
            let bytes = ByteBuffer(string: answer.body)
            var headers = HTTPHeaders(answer.headers.map { ($0, $1) })
            headers.add(name: "Content-Length", value: String(bytes.readableBytes))
            context.write(
                wrapOutboundOut(
                    .head(
                        HTTPResponseHead(
                            version: .http1_1, status: HTTPResponseStatus(statusCode: answer.status),
                            headers: headers))), promise: nil)
            context.write(wrapOutboundOut(.body(.byteBuffer(bytes))), promise: nil)
            context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        }
    }
}

/// Starts a service, and stops it whatever `body` does.
public func withServiceTestServer<Result>(
    answering answer: @escaping @Sendable (ServiceTestServer.Request) -> ServiceTestServer.Answer = { _ in
        .init(status: 404)
    },
    _ body: (ServiceTestServer) throws -> Result
) throws -> Result {
    let server = try ServiceTestServer(answering: answer)
    let result = Swift.Result { try body(server) }
    try server.stop()
    return try result.get()
}

/// Starts a service at port 80 of an address of this thread's network namespace, and stops it whatever `body` does.
public func withServiceTestServer<Result>(
    at host: String, answering answer: @escaping @Sendable (ServiceTestServer.Request) -> ServiceTestServer.Answer,
    _ body: (ServiceTestServer) throws -> Result
) throws -> Result {
    // A thread is born into the namespace of the one that starts it.
    let threads = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let server = try ServiceTestServer(at: (host, 80), threads: threads, answering: answer)
    let result = Swift.Result { try body(server) }
    try server.stop()
    try threads.syncShutdownGracefully()
    return try result.get()
}
