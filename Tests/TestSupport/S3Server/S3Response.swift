/// What the test server answers with, and what goes wrong meanwhile.
struct S3Response: Sendable {
    /// What happens in place of, or in the middle of, the answer.
    enum Interruption: Sendable {
        /// The connection is closed as if all were said.
        case close
        /// The connection is reset (RST).
        case reset
        /// Nothing more is sent, and the connection stays open.
        case stall
        /// The rest is sent no faster than this.
        case slowDown(Pace)
        /// The test's doing; then the answer goes on.
        case run(@Sendable () -> Void)
    }

    /// The HTTP status.
    var status: Int
    /// Headers beside those that every answer has.
    var headers: [String: String]
    /// Where the body is taken from.
    var body: ObjectBody
    /// Which bytes of `body` are sent.
    var range: Range<Int>
    /// How long to wait before anything is sent.
    var delay = Duration.zero
    /// What happens after so many bytes of the body; before the first, and before the head, where `nil`.
    var interruption: (afterByteCount: Int?, what: Interruption)?

    /// Whether there is a `Content-Length`. Where there is none the body comes in chunks.
    var announcesLength = true
    /// How many bytes are sent behind those of `range`.
    var surplusByteCount = 0
    /// Whether `Content-Length` counts them.
    var announcesSurplus = false
    /// What is sent in place of all this.
    var flood: Flood?

    /// An answer with all of `body`.
    init(status: Int, headers: [String: String] = [:], body: ObjectBody = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
        self.range = 0..<body.byteCount
    }

    /// How many bytes of body are sent.
    var bodyByteCount: Int { range.count + surplusByteCount }

    /// How many bytes of body the head announces.
    var announcedByteCount: Int { range.count + (announcesSurplus ? surplusByteCount : 0) }

    /// Bytes of what is sent, counted from its beginning. What is too much is made of "?".
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
