/// Ways of a server to use its clients up: in place of an answer it sends what never ends.
public enum Attack: Sendable, CaseIterable {
    /// A status line that goes on and on.
    case statusLine
    /// One header line that goes on and on.
    case headerLine
    /// Header after header.
    case headers
    /// One `100 Continue` after the other, and never the answer proper.
    case interimAnswers
    /// A body of unknown length that goes on and on, announced as XML and begun as a listing.
    case body
    /// A body in one chunk (RFC 9112, section 7.1) whose length never ends.
    case chunkLength
    /// After the body, trailer after trailer.
    case trailers
    /// A refusal whose error document goes on and on.
    case errorDocument

    /// No client takes more than this; if it did, the machine that tests run on should survive.
    static let byteCountMax = 8 << 30

    /// The bytes that are sent first, and those that are sent again and again.
    var flood: Flood {
        let chunked = "Content-Type: application/xml\r\nTransfer-Encoding: chunked\r\n\r\n"
        let ok = "HTTP/1.1 200 OK\r\n"
        return switch self {
        case .statusLine: Flood("HTTP/1.1 200 ", "OK, very much ")
        case .headerLine: Flood(ok + "x-amz-request-id: ", "0123456789abcdef")
        case .headers: Flood(ok, "x-amz-meta-endless: 0123456789abcdef\r\n")
        case .interimAnswers: Flood("", "HTTP/1.1 100 Continue\r\nx-amz-request-id: 0123456789abcdef\r\n\r\n")
        case .body: Flood(ok + chunked + Flood.chunk("<ListBucketResult><Name>"), Flood.chunk("endless "))
        case .chunkLength: Flood(ok + chunked, "0")
        case .trailers: Flood(ok + chunked + "0\r\n", "x-endless: 0123456789abcdef\r\n")
        case .errorDocument:
            Flood(
                "HTTP/1.1 403 Forbidden\r\n" + chunked + Flood.chunk("<Error><Code>AccessDenied</Code><Message>"),
                Flood.chunk("endless "))
        }
    }

    func apply(to response: inout S3Response) {
        response.flood = flood
    }
}

/// Bytes that are sent in place of an answer, past the HTTP encoder.
struct Flood: Sendable {
    /// Sent once.
    let beginning: String
    /// Sent until the client has had enough, many at a time.
    let repeated: String

    init(_ beginning: String, _ repeated: String) {
        self.beginning = beginning
        self.repeated = String(repeating: repeated, count: 65_536 / repeated.utf8.count)
    }

    /// `text` as one chunk of a body (RFC 9112, section 7.1).
    static func chunk(_ text: String) -> String {
        "\(String(text.utf8.count, radix: 16))\r\n\(text)\r\n"
    }
}
