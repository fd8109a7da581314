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

    /// An answer with all of `body`.
    init(status: Int, headers: [String: String] = [:], body: ObjectBody = .bytes([])) {
        self.status = status
        self.headers = headers
        self.body = body
        self.range = 0..<body.byteCount
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
