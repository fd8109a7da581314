import Glibc
import ObjectStore
import SystemSupport

/// A reader of the objects of a listing that have the usual form: fields without markup, and a digest as ETag. It takes
/// a small part of an XML parser's time.
///
/// It begins only where an element of the root may begin, and leaves everything that it doesn't know to the XML parser.
struct ListEntryScanner {
    /// The longest object, in bytes: more than a key of 1,024 bytes, each encoded as three, and the other fields.
    static let byteCountMax = 4_096
    private static let begin: StaticString = "<Contents>"
    private static let end: StaticString = "</Contents>"

    private let bytes: UnsafeRawBufferPointer
    /// The offset behind the last object.
    private(set) var index: Int
    private var position: Int

    /// Creates a reader of the objects from the offset `start` on.
    init(_ bytes: UnsafeRawBufferPointer, from start: Int) {
        self.bytes = bytes
        index = start
        position = start
    }

    /// Returns the offset of the first object behind `start`, with the blanks before it, or else the end of the bytes.
    static func nextObject(in bytes: UnsafeRawBufferPointer, behind start: Int) -> Int {
        var searchStart = start + 1
        while let begin = bytes.offset(of: begin, from: searchStart) {
            var end = begin
            while end > start, bytes[end - 1].isXMLBlank { end -= 1 }
            if end > start { return end }
            searchStart = begin + 1
        }
        return bytes.count
    }

    /// Returns the next object; `nil` if something else follows, or an object that is cut off or has another form.
    mutating func next() -> ListPageElements.Object? {
        position = index
        skipWhitespace()
        guard skip(Self.begin) else { return nil }
        var object = ListPageElements.Object()
        repeat {
            skipWhitespace()
            if skip(Self.end) {
                guard position - index <= Self.byteCountMax else { return nil }
                index = position
                return object
            }
        } while takeField(of: &object)
        return nil
    }

    /// `true` if `next` may return an object once more bytes are there.
    var isCutOff: Bool {
        var rest = self
        rest.position = index
        rest.skipWhitespace()
        let beginByteCount = min(bytes.count - rest.position, Self.begin.utf8CodeUnitCount)
        return bytes.count - index < Self.byteCountMax
            && bytes.begins(with: Self.begin, beginByteCount, at: rest.position)
            && bytes.offset(of: Self.end, from: rest.position) == nil
    }

    /// Reads an element of an object. Returns `false` if it is cut off or has another form.
    private mutating func takeField(of object: inout ListPageElements.Object) -> Bool {
        guard skip("<") else { return false }
        let nameStart = position
        while position < bytes.count, bytes[position].isASCIILetter { position += 1 }
        let name = UnsafeRawBufferPointer(rebasing: bytes[nameStart..<position])
        guard !name.isEmpty, skip(">") else { return false }
        let isQuoted = skip("&quot;")
        let text = takeText()
        guard !isQuoted || skip("&quot;"), skip("</"), bytes.begins(with: name, at: position) else { return false }
        position += name.count
        return skip(">") && object.take(name, text, isQuoted: isQuoted)
    }

    private mutating func skipWhitespace() {
        while position < bytes.count, bytes[position].isXMLBlank { position += 1 }
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        guard bytes.begins(with: word, word.utf8CodeUnitCount, at: position) else { return false }
        position += word.utf8CodeUnitCount
        return true
    }

    /// Reads ASCII without markup and control characters, up to an "]" as well, which may begin markup.
    private mutating func takeText() -> UnsafeRawBufferPointer {
        let start = position
        while position < bytes.count, bytes[position].isPlainText { position += 1 }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
    }
}

extension ListPageElements.Object {
    /// Takes the value of an element that S3 writes in one form only. Returns `false` if the value has another form.
    ///
    /// - Parameter isQuoted: `true` if the text was between two `&quot;`.
    fileprivate mutating func take(
        _ name: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer, isQuoted: Bool
    ) -> Bool {
        if name.isWord("ETag") {
            let quote = UInt8(ascii: "\"")
            let hasQuotes = !isQuoted && text.count >= 2 && text.first == quote && text.last == quote
            guard isQuoted || hasQuotes else { return false }
            let digits = hasQuotes ? UnsafeRawBufferPointer(rebasing: text.dropFirst().dropLast()) : text
            etag = digits.withMemoryRebound(to: UInt8.self) { ETagDigest(unquoted: $0.span) }.map { ETag($0) }
            return etag != nil
        }
        if isQuoted { return false }
        if name.isWord("Key") {
            key = Array(text)
        } else if name.isWord("Size") {
            guard (1...15).contains(text.count), text.allSatisfy(\.isDigit) else { return false }
            byteCount = text.reduce(0) { $0 * 10 + Int($1 - UInt8(ascii: "0")) }
        } else if name.isWord("LastModified") {
            lastModified = Timestamp(iso8601: text)
            return lastModified != nil
        } else if name.isWord("StorageClass") {
            let blank = UInt8(ascii: " ")
            guard !text.isEmpty, text.first != blank, text.last != blank else { return false }
            storageClass = text.isWord("STANDARD") ? "STANDARD" : String(decoding: text, as: UTF8.self)
        }
        return true
    }
}

extension UnsafeRawBufferPointer {
    fileprivate func begins(with word: StaticString, _ byteCount: Int, at position: Int) -> Bool {
        begins(with: UnsafeRawBufferPointer(start: word.utf8Start, count: byteCount), at: position)
    }

    fileprivate func begins(with word: UnsafeRawBufferPointer, at position: Int) -> Bool {
        guard count - position >= word.count, let base = baseAddress, let wordBase = word.baseAddress else {
            return false
        }
        return memcmp(base + position, wordBase, word.count) == 0
    }

    fileprivate func isWord(_ word: StaticString) -> Bool {
        count == word.utf8CodeUnitCount && begins(with: word, count, at: 0)
    }

    /// Returns the offset of the first `tag` at or behind `start`.
    fileprivate func offset(of tag: StaticString, from start: Int) -> Int? {
        guard let base = baseAddress else { return nil }
        var start = start
        while start < count, let found = memchr(base + start, CInt(UInt8(ascii: "<")), count - start) {
            start = UnsafeRawPointer(found) - base
            if begins(with: tag, tag.utf8CodeUnitCount, at: start) { return start }
            start += 1
        }
        return nil
    }
}

extension UInt8 {
    fileprivate var isASCIILetter: Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20) }

    fileprivate var isXMLBlank: Bool {
        self == UInt8(ascii: " ") || self == UInt8(ascii: "\n") || self == UInt8(ascii: "\t")
            || self == UInt8(ascii: "\r")
    }

    fileprivate var isPlainText: Bool {
        (0x20...0x7f).contains(self) && self != UInt8(ascii: "<") && self != UInt8(ascii: "&")
            && self != UInt8(ascii: "]")
    }
}
