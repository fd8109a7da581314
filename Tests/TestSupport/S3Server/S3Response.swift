/// A response of the test server, and its interruption.
struct S3Response: Sendable {
    /// An event in place of the response, or in the middle of it.
    enum Interruption: Sendable {
        /// The connection is closed as if the response were complete.
        case close
        /// The connection is reset (RST).
        case reset
        /// Nothing more is sent, and the connection stays open.
        case stall
        /// The rest is sent no faster than this.
        case slowDown(Pace)
        /// A change by the test, after which the response continues.
        case run(@Sendable () -> Void)
    }

    /// The HTTP status.
    var status: Int
    /// Headers beside those that every answer has.
    var headers: [String: String]
    /// The source of the body.
    var body: ObjectBody
    /// The bytes of `body` that are sent.
    var range: Range<Int>
    /// The delay before the first byte.
    var delay = Duration.zero
    /// The interruption after so many bytes of the body; before the head if the number is `nil`.
    var interruption: (afterByteCount: Int?, what: Interruption)?

    /// A Boolean value that is `true` if there is a `Content-Length`. Without one the body comes in chunks.
    var announcesLength = true
    /// The number of bytes behind those of `range`.
    var surplusByteCount = 0
    /// A Boolean value that is `true` if `Content-Length` counts them.
    var announcesSurplus = false
    /// The data in place of a response.
    var flood: Flood?

    /// An answer with all of `body`.
    init(status: Int, headers: [String: String] = [:], body: ObjectBody = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
        self.range = 0..<body.byteCount
    }

    /// The number of bytes in the body.
    var bodyByteCount: Int { range.count + surplusByteCount }

    /// The number of bytes of body that the head announces.
    var announcedByteCount: Int { range.count + (announcesSurplus ? surplusByteCount : 0) }

    /// The bytes of the response at these offsets. Bytes behind the body are "?".
    func bytes(in sent: Range<Int>) -> [UInt8] {
        let wanted = sent.clamped(to: 0..<range.count)
        return body.bytes(in: range.lowerBound + wanted.lowerBound..<range.lowerBound + wanted.upperBound)
            + [UInt8](repeating: UInt8(ascii: "?"), count: sent.count - wanted.count)
    }

    /// S3's error document.
    ///
    /// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
    static func error(_ status: Int, _ code: String, _ message: String) -> S3Response {
        S3Response(
            status: status, headers: ["Content-Type": "application/xml"],
            body: .text(errorDocument(code: code, message: message)))
    }
}
