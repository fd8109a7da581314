/// A parser of one JSON document (RFC 8259), as strict as Foundation's.
struct JSONParser {
    struct Malformed: Error {}

    /// More than the documents of any service have, and far less than the stack allows.
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
        default: return try number()
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

    private mutating func members() throws(Malformed) -> JSONObject {
        var members: [JSONObject.Member] = []
        skipBlanks()
        if take("}") { return JSONObject(members) }
        repeat {
            skipBlanks()
            let name = try string()
            skipBlanks()
            guard take(":") else { throw Malformed() }
            members.append((name, try value()))
            skipBlanks()
        } while take(",")
        guard take("}") else { throw Malformed() }
        return JSONObject(members)
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

    private mutating func number() throws(Malformed) -> JSONValue {
        let start = index
        _ = take("-")
        if !take("0") { try digits() }
        if take(".") { try digits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try digits()
        }
        let text = String(decoding: bytes[start..<index], as: UTF8.self)
        if let integer = Int(text) { return .number(integer) }
        guard let real = Double(text), real.isFinite else { throw Malformed() }
        return .real(real)
    }

    private mutating func digits() throws(Malformed) {
        let start = index
        while peek?.isDigit == true { index += 1 }
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

    /// Reads four hexadecimal digits, or twice four for a surrogate pair.
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
