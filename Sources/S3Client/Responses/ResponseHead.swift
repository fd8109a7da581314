/// The status and those header fields of an answer that the client looks at.
struct ResponseHead: Equatable {
    /// 0 until the status line has come.
    private(set) var status = 0
    private(set) var etag: String?
    private(set) var contentRange: ContentRange?
    private(set) var contentLength: Int?
    private(set) var requestID: String?
    private(set) var region: String?
    private(set) var date: String?
    private var byteCount = 0

    /// Far beyond what S3 sends (8 KiB).
    private static let byteLimit = 64 * 1_024

    /// Takes one line of the head, a status line or a field. A new status line begins a new head: a `100 Continue` goes
    /// before the answer proper.
    ///
    /// - Returns: Whether the head is still of a bearable length.
    mutating func receive(line: some Collection<UInt8>) -> Bool {
        byteCount += line.count
        guard byteCount <= Self.byteLimit else { return false }
        let text = String(decoding: line, as: UTF8.self)
        if text.hasPrefix("HTTP/") {
            let status = text.split(separator: " ").dropFirst().first.flatMap { Int($0.prefix(3)) }
            self = ResponseHead()
            self.status = status ?? 0
        } else if let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let isBlank = { (character: Character) in character.isWhitespace }
            let value = text[text.utf8.index(after: colon)...].drop(while: isBlank)
            set(text[..<colon].lowercased(), String(value.reversed().drop(while: isBlank).reversed()))
        }
        return true
    }

    private mutating func set(_ name: String, _ value: String) {
        switch name {
        case "etag": etag = value
        case "content-range": contentRange = ContentRange(parsing: value)
        case "content-length": contentLength = Int(value)
        case "x-amz-request-id": requestID = Excerpt.of(value.utf8)
        case "x-amz-bucket-region": region = value
        case "date": date = value
        default: break
        }
    }
}

/// `Content-Range: bytes 0-99/1000` (RFC 9110, section 14.4).
struct ContentRange: Equatable {
    /// The offsets of the bytes that follow.
    let range: Range<Int>
    /// The size of the whole object.
    let byteCount: Int

    init(range: Range<Int>, byteCount: Int) {
        self.range = range
        self.byteCount = byteCount
    }

    init?(parsing value: String) {
        guard value.hasPrefix("bytes ") else { return nil }
        let numbers = value.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard numbers.count == 2, let byteCount = Int(numbers[1]) else { return nil }
        let bounds = numbers[0].split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Int(bounds[0]), let last = Int(bounds[1]), 0 <= first, first <= last,
            last < byteCount
        else { return nil }
        self.init(range: first..<last + 1, byteCount: byteCount)
    }
}
