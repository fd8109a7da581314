/// A JSON value (RFC 8259).
///
/// Credentials come in JSON documents of a few hundred bytes. Foundation's reader would do, at the price of ten megabytes of
/// memory in every mount that has no other use for Foundation; this one is as strict and costs nothing.
enum JSONValue: Equatable {
    case null
    case bool(Bool)
    /// As it stands in the document.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// Reads a document.
    ///
    /// - Returns: `nil` where the bytes are none. There is no word on why: the document may hold secrets.
    init?(parsing bytes: [UInt8]) {
        var parser = JSONParser(bytes)
        guard let value = try? parser.document() else { return nil }
        self = value
    }

    /// The value of a member of an object.
    subscript(name: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[name]
    }

    /// The text of a string that isn't empty.
    var text: String? {
        guard case .string(let text) = self, !text.isEmpty else { return nil }
        return text
    }

    /// A number that is whole.
    var integer: Int? {
        guard case .number(let digits) = self else { return nil }
        // SSO's milliseconds are written by some as 1.5e12.
        return Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
    }
}

/// Reads one document, byte by byte.
private struct JSONParser {
    struct Malformed: Error {}

    /// Deeper than anything that hands out credentials, far less than the stack bears.
    private static let depthLimit = 32

    private let bytes: [UInt8]
    private var index = 0
    private var depth = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    mutating func document() throws(Malformed) -> JSONValue {
        let value = try value()
        skipBlanks()
        guard index == bytes.count else { throw Malformed() }
        return value
    }

    private mutating func value() throws(Malformed) -> JSONValue {
        skipBlanks()
        switch peek {
        case UInt8(ascii: "{"): return try nested { parser throws(Malformed) in .object(try parser.members()) }
        case UInt8(ascii: "["): return try nested { parser throws(Malformed) in .array(try parser.elements()) }
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested(
        _ read: (inout JSONParser) throws(Malformed) -> JSONValue
    ) throws(Malformed) -> JSONValue {
        depth += 1
        guard depth <= Self.depthLimit else { throw Malformed() }
        index += 1
        let value = try read(&self)
        depth -= 1
        return value
    }

    private mutating func members() throws(Malformed) -> [String: JSONValue] {
        var members: [String: JSONValue] = [:]
        skipBlanks()
        if take("}") { return members }
        repeat {
            skipBlanks()
            let name = try string()
            skipBlanks()
            guard take(":") else { throw Malformed() }
            members[name] = try value()
            skipBlanks()
        } while take(",")
        guard take("}") else { throw Malformed() }
        return members
    }

    private mutating func elements() throws(Malformed) -> [JSONValue] {
        var elements: [JSONValue] = []
        skipBlanks()
        if take("]") { return elements }
        repeat {
            elements.append(try value())
            skipBlanks()
        } while take(",")
        guard take("]") else { throw Malformed() }
        return elements
    }

    private mutating func word(_ word: StaticString, _ value: JSONValue) throws(Malformed) -> JSONValue {
        for byte in "\(word)".utf8 {
            guard peek == byte else { throw Malformed() }
            index += 1
        }
        return value
    }

    private mutating func number() throws(Malformed) -> String {
        let start = index
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        return String(decoding: bytes[start..<index], as: UTF8.self)
    }

    private mutating func digits() throws(Malformed) {
        let start = index
        while let byte = peek, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { index += 1 }
        guard index > start else { throw Malformed() }
    }

    private mutating func string() throws(Malformed) -> String {
        guard take("\"") else { throw Malformed() }
        var text: [UInt8] = []
        while let byte = peek, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw Malformed() }
            index += 1
            if byte == UInt8(ascii: "\\") {
                text += Array(try escaped().utf8)
            } else {
                text.append(byte)
            }
        }
        guard take("\""), let string = String(validating: text, as: UTF8.self) else { throw Malformed() }
        return string
    }

    private mutating func escaped() throws(Malformed) -> String {
        guard let byte = peek else { throw Malformed() }
        index += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return String(Unicode.Scalar(byte))
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "u"): return String(try escapedScalar())
        default: throw Malformed()
        }
    }

    /// Four hexadecimal digits, or two times four that are a surrogate pair.
    private mutating func escapedScalar() throws(Malformed) -> Unicode.Scalar {
        let unit = try hexUnit()
        guard UTF16.isLeadSurrogate(unit) else {
            guard let scalar = Unicode.Scalar(unit) else { throw Malformed() }
            return scalar
        }
        guard take("\\"), take("u") else { throw Malformed() }
        let second = try hexUnit()
        let value = 0x10000 + (UInt32(unit) & 0x3ff) << 10 + UInt32(second) & 0x3ff
        guard UTF16.isTrailSurrogate(second), let scalar = Unicode.Scalar(value) else { throw Malformed() }
        return scalar
    }

    private mutating func hexUnit() throws(Malformed) -> UInt16 {
        let digits = bytes[index...].prefix(4)
        guard digits.count == 4, let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16),
            digits.first != UInt8(ascii: "+")
        else { throw Malformed() }
        index += 4
        return unit
    }

    private var peek: UInt8? { index < bytes.count ? bytes[index] : nil }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard peek == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    private mutating func skipBlanks() {
        while let byte = peek, [0x20, 0x09, 0x0a, 0x0d].contains(byte) { index += 1 }
    }
}
