/// A JSON value (RFC 8259). Its description is the document, in one line.
///
/// Foundation's reader would cost ten megabytes of memory in a mount that has no other use for Foundation.
public enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    case number(Int)
    /// A finite number that isn't an integer, or exceeds 64 bits.
    case real(Double)
    case string(String)
    case array([JSONValue])
    case object(JSONObject)

    /// Reads a document.
    ///
    /// - Returns: `nil` for malformed bytes. There is no reason, because the document may contain secrets.
    public init?(parsing bytes: [UInt8]) {
        var parser = JSONParser(bytes)
        guard let value = try? parser.document() else { return nil }
        self = value
    }

    /// The value of the member `name`; `nil` if there is none, or this is not an object.
    public subscript(name: String) -> JSONValue? {
        guard case .object(let object) = self else { return nil }
        return object[name]
    }

    /// The text of a string that isn't empty.
    public var text: String? {
        guard case .string(let text) = self, !text.isEmpty else { return nil }
        return text
    }

    /// A number without a fraction.
    public var integer: Int? {
        switch self {
        case .number(let number): number
        // Some tools write the milliseconds of an SSO expiry as 1.5e12.
        case .real(let number): Int(exactly: number)
        default: nil
        }
    }
}

extension JSONValue: CustomStringConvertible {
    /// The document.
    public var description: String {
        switch self {
        case .null: "null"
        case .bool(let isTrue): "\(isTrue)"
        case .number(let number): "\(number)"
        case .real(let number): "\(number)"
        case .string(let text): JSONValue.quoted(text)
        case .array(let values): "[\(values.map(\.description).joined(separator: ", "))]"
        case .object(let object): "\(object)"
        }
    }

    /// Returns `text` as a JSON string. Escapes all control and format characters, including those for which JSON
    /// doesn't require it, because a terminal obeys them.
    static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.isControlOrFormat:
                // Two units, a surrogate pair, for the few beyond the first 65,536 characters.
                for unit in scalar.utf16 { quoted += "\\u" + unit.padded(to: 4, radix: 16) }
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
