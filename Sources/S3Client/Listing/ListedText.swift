import ObjectStore
import SystemSupport

/// Parses the values in a listing that describe an object, in the forms that different stores write.
enum ListedText {
    /// Returns the text without leading and trailing white space.
    static func trimmed(_ text: [UInt8]) -> ArraySlice<UInt8> {
        var rest = text[...]
        while let first = rest.first, first.isWhitespace { rest.removeFirst() }
        while let last = rest.last, last.isWhitespace { rest.removeLast() }
        return rest
    }

    /// Returns a size; `nil` if the text is not a number, or greater than the size of any object.
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

    /// Returns a time in one of the formats of ISO 8601 and HTTP that `Timestamp` parses.
    static func time(_ text: [UInt8]) -> Timestamp? {
        // The form of S3.
        if let time = Timestamp(iso8601: text) { return time }
        let text = trimmed(text)
        return Timestamp(lenientISO8601: text) ?? Timestamp(httpDate: String(decoding: text, as: UTF8.self))
    }

    /// Returns `true` if the text is this word, in upper or lower case.
    static func isWord(_ text: [UInt8], _ word: StaticString) -> Bool {
        let text = trimmed(text)
        return text.count == word.utf8CodeUnitCount
            && word.withUTF8Buffer { zip(text, $0).allSatisfy { $0.lowercasedASCII == $1 } }
    }

    /// Returns `true` if the bytes contain the placeholder of `TextRepair`.
    static func hasPlaceholder(_ text: [UInt8]) -> Bool {
        guard text.has(TextRepair.placeholder[0]) else { return false }
        return text.indices.dropLast(TextRepair.placeholder.count - 1).contains {
            text[$0] == TextRepair.placeholder[0] && text[$0...].starts(with: TextRepair.placeholder)
        }
    }
}
