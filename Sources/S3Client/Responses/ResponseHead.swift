import SystemSupport

/// The status and those header fields of an answer that the client looks at.
struct ResponseHead: Equatable {
    /// 0 until the status line has come.
    private(set) var status = 0
    private(set) var etag: String?
    private(set) var contentRange: ContentRange?
    private(set) var contentLength: Int?
    private(set) var contentEncoding: String?
    private(set) var lastModified: String?
    private(set) var requestID: String?
    private(set) var region: String?
    private(set) var date: String?
    private(set) var storageClass: String?
    /// For how many seconds the store wants to be left alone (RFC 9110, section 10.2.3; the form with a date is passed over).
    private(set) var retryAfterSeconds: Int?
    private var byteCount = 0

    /// The head of an answer of which nothing has come.
    init() {}

    private init(byteCount: Int) {
        self.byteCount = byteCount
    }

    /// Far beyond what S3 sends (8 KiB).
    private static let byteLimit = 64 * 1_024

    /// The fields that are looked at, by their names in lower case.
    private enum Field: String, CaseIterable {
        case etag
        case contentRange = "content-range"
        case contentLength = "content-length"
        case contentEncoding = "content-encoding"
        case lastModified = "last-modified"
        case requestID = "x-amz-request-id"
        case region = "x-amz-bucket-region"
        case date
        case storageClass = "x-amz-storage-class"
        case retryAfterSeconds = "retry-after"

        /// The field of this name, in whatever case.
        init?(name: some Collection<UInt8>) {
            let field = Self.allCases.first { field in
                let expected = field.rawValue.utf8
                return expected.count == name.count && zip(expected, name).allSatisfy { $0 == $1.lowercasedASCII }
            }
            guard let field else { return nil }
            self = field
        }
    }

    /// Takes one line of the head, a status line or a field. A new status line begins a new head: a `100 Continue` goes
    /// before the answer proper. Their lengths count together: there may be any number of them.
    ///
    /// An answer has a dozen lines, and half of them are of no interest: no text is made of those.
    ///
    /// - Returns: Whether the head is still of a bearable length.
    mutating func receive(line: some BidirectionalCollection<UInt8>) -> Bool {
        byteCount += line.count
        guard byteCount <= Self.byteLimit else { return false }
        if line.starts(with: "HTTP/".utf8) {
            self = ResponseHead(byteCount: byteCount)
            status = number(line.drop { !isBlank($0) }.drop(while: isBlank).prefix(3)) ?? 0
        } else if let colon = line.firstIndex(of: UInt8(ascii: ":")), let field = Field(name: line[..<colon]) {
            let value = line[line.index(after: colon)...].drop(while: isBlank)
            let end = value.lastIndex { !isBlank($0) }.map(value.index(after:)) ?? value.startIndex
            set(field, String(decoding: value[..<end], as: UTF8.self))
        }
        return true
    }

    private mutating func set(_ field: Field, _ value: String) {
        switch field {
        case .etag: etag = value
        case .contentRange: contentRange = ContentRange(parsing: value)
        case .contentLength: contentLength = number(value.utf8)
        case .contentEncoding: contentEncoding = value
        case .lastModified: lastModified = value
        case .requestID: requestID = Excerpt.of(value.utf8)
        case .region: region = value
        case .date: date = value
        case .storageClass: storageClass = value
        case .retryAfterSeconds: retryAfterSeconds = Int(value)
        }
    }
}

/// A number without a sign, which `Int` would take.
private func number(_ digits: some Collection<UInt8>) -> Int? {
    guard digits.allSatisfy((UInt8(ascii: "0")...UInt8(ascii: "9")).contains) else { return nil }
    return Int(String(decoding: digits, as: UTF8.self))
}

/// White space, and the ends of lines.
private func isBlank(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"), UInt8(ascii: "\n"): true
    default: false
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
