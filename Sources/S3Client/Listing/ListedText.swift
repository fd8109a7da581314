import ObjectStore
import SystemSupport

/// Reads the values of a listing that only describe an object, as different stores write them.
enum ListedText {
    /// The text without white space around it.
    static func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }

    /// A size: digits, and no more than an object can have. `nil` for anything else.
    static func byteCount(_ text: [UInt8]) -> Int? {
        let digits = trimmed(text)
        if digits.isEmpty { return nil }
        var count = 0
        for byte in digits {
            guard byte.isDigit else { return nil }
            count = count * 10 + Int(byte - UInt8(ascii: "0"))
            if count > ObjectVersion.byteCountLimit { return nil }
        }
        return count
    }

    /// A time in one of the formats of ISO 8601 and HTTP that `Timestamp` reads.
    static func time(_ text: [UInt8]) -> Timestamp? {
        // As S3 writes it.
        if let time = Timestamp(iso8601: text) { return time }
        let text = trimmed(text)
        return Timestamp(lenientISO8601: text) ?? Timestamp(httpDate: String(decoding: text, as: UTF8.self))
    }

    /// Returns `true` if the text is this word, in whatever case.
    static func isWord(_ text: [UInt8], _ word: StaticString) -> Bool {
        let text = trimmed(text)
        return text.count == word.utf8CodeUnitCount
            && word.withUTF8Buffer { zip(text, $0).allSatisfy { $0.lowercasedASCII == $1 } }
    }

    /// Returns `true` if the bytes hold what `TextRepair` left for bytes that are no text.
    static func hasPlaceholder(_ text: [UInt8]) -> Bool {
        guard text.count >= TextRepair.placeholder.count else { return false }
        return text.indices.dropLast(TextRepair.placeholder.count - 1).contains {
            text[$0] == TextRepair.placeholder[0] && text[$0...].starts(with: TextRepair.placeholder)
        }
    }
}
