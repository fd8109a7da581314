import Glibc
import NIOCore
import NIOHTTP1

/// One HTTP connection to the test server: takes requests one after the other and sends the answers, no faster than the
/// client reads.
final class S3Connection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// An answer that is being sent.
    private struct Sending {
        var response: S3Response
        let logIndex: Int
        var sentByteCount = 0
        var isHeadSent = false
        /// The limits of its bandwidth.
        var paces: [Pace]
        /// A Boolean value that is `true` while bytes wait for the bandwidth: `proceed` continues by itself.
        var isPacing = false
    }

    /// The number of bytes of a body that are made and written at a time.
    private static let chunkByteCountMax = 262_144

    private let server: S3TestServer
    private var head: HTTPRequestHead?
    private var sending: Sending?

    init(server: S3TestServer) {
        self.server = server
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): self.head = head
        // Requests with a body are refused, whatever is in it.
        case .body: break
        case .end: answer(context)
        }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if sending?.isHeadSent == true || sending?.response.flood != nil { proceed(context) }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func answer(_ context: ChannelHandlerContext) {
        guard let head, let request = S3Request(head, bucketOfServer: server.bucket) else {
            return context.close(promise: nil)
        }
        let (response, logIndex) = server.respond(to: request)
        sending = Sending(response: response, logIndex: logIndex, paces: server.line.paces())
        guard response.delay > .zero else { return proceed(context) }
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(response.delay)) {
            if context.channel.isActive { self.proceed(context) }
        }
    }

    /// Sends as much as the client and the line take; goes on when they take more.
    private func proceed(_ context: ChannelHandlerContext) {
        while let sending, context.channel.isWritable, !sending.isPacing {
            if let flood = sending.response.flood {
                sendMore(of: flood, context)
            } else if let (at, what) = sending.response.interruption,
                at.map({ $0 <= sending.sentByteCount && sending.isHeadSent }) ?? true
            {
                self.sending?.response.interruption = nil
                guard carryOut(what, context) else { return }
            } else if !sending.isHeadSent {
                sendHead(of: sending, context)
            } else if sending.sentByteCount < bodyByteCount(of: sending) {
                sendChunk(of: sending, context)
            } else {
                self.sending = nil
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            }
        }
    }

    /// Interrupts the response. Returns `true` if it goes on.
    private func carryOut(_ interruption: S3Response.Interruption, _ context: ChannelHandlerContext) -> Bool {
        switch interruption {
        case .run(let action):
            action()
            return true
        case .slowDown(let pace):
            sending?.paces.append(pace)
            return true
        case .stall:
            sending = nil
        case .close:
            sending = nil
            context.close(promise: nil)
        case .reset:
            sending = nil
            // Without lingering, close(2) sends RST (socket(7)).
            let options = context.channel as? any SocketOptionProvider
            options?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).assumeIsolated().whenComplete { _ in
                context.close(promise: nil)
            }
        }
        return false
    }

    private func sendHead(of sending: Sending, _ context: ChannelHandlerContext) {
        let response = sending.response
        var headers = HTTPHeaders([
            ("x-amz-request-id", "TESTREQUEST\(sending.logIndex)"), ("Server", "S3TestServer"),
        ])
        if response.announcesLength { headers.add(name: "Content-Length", value: String(response.announcedByteCount)) }
        for (name, value) in response.headers { headers.replaceOrAdd(name: name, value: value) }
        let head = HTTPResponseHead(
            version: .http1_1, status: HTTPResponseStatus(statusCode: response.status), headers: headers)
        self.sending?.isHeadSent = true
        server.note(logIndex: sending.logIndex, status: response.status, sentByteCount: 0)
        context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
    }

    private func sendChunk(of sending: Sending, _ context: ChannelHandlerContext) {
        let start = sending.sentByteCount
        let chunkByteCount = sending.paces.map(\.chunkByteCount).min() ?? .max
        var end = min(start + min(chunkByteCount, Self.chunkByteCountMax), bodyByteCount(of: sending))
        if let stop = sending.response.interruption?.afterByteCount { end = min(end, stop) }
        let buffer = ByteBuffer(bytes: sending.response.bytes(in: start..<end))
        self.sending?.sentByteCount += end - start
        server.note(logIndex: sending.logIndex, status: sending.response.status, sentByteCount: end - start)
        context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(buffer))), promise: nil)
        if let wait = sending.paces.map({ $0.take(byteCount: end - start) }).max() { pause(wait, context) }
    }

    /// Goes on after `duration`.
    private func pause(_ duration: Duration, _ context: ChannelHandlerContext) {
        sending?.isPacing = true
        context.eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(duration)) {
            self.sending?.isPacing = false
            if context.channel.isActive { self.proceed(context) }
        }
    }

    /// Sends so many bytes of what never ends as the client takes at a time.
    private func sendMore(of flood: Flood, _ context: ChannelHandlerContext) {
        guard let sending, sending.sentByteCount < Attack.byteCountMax else { return context.close(promise: nil) }
        let buffer = ByteBuffer(string: sending.isHeadSent ? flood.repeated : flood.beginning)
        self.sending?.isHeadSent = true
        self.sending?.sentByteCount += buffer.readableBytes
        server.note(logIndex: sending.logIndex, status: 0, sentByteCount: buffer.readableBytes)
        // From the encoder's own place in the pipeline on, which is past it.
        let encoder = try? context.pipeline.syncOperations.context(handlerType: HTTPResponseEncoder.self)
        encoder?.writeAndFlush(NIOAny(buffer), promise: nil)
        // Others have their turn on this thread, and the end of the connection is heard of.
        pause(.zero, context)
    }

    private func bodyByteCount(of sending: Sending) -> Int {
        head?.method == .HEAD ? 0 : sending.response.bodyByteCount
    }
}
