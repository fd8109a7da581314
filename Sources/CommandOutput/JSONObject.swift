import ObjectStore

/// A JSON object in one line, with its members in the given order (RFC 8259).
package struct JSONObject: Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    package enum Value: Sendable {
        case string(String)
        case number(Int)
        /// A finite number.
        case real(Double)
        case bool(Bool)
        case null
        case object(JSONObject)
        case array([Value])
    }

    private let members: [(name: String, value: Value)]

    package init(_ members: [(name: String, value: Value)]) {
        self.members = members
    }

    package init(dictionaryLiteral members: (String, Value)...) {
        self.init(members.map { (name: $0.0, value: $0.1) })
    }

    package var description: String {
        let texts = members.map { "\(JSONObject.quoted($0.name)): \(JSONObject.text(of: $0.value))" }
        return "{\(texts.joined(separator: ", "))}"
    }

    private static func text(of value: Value) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .number(let number): "\(number)"
        case .real(let number): "\(number)"
        case .bool(let isTrue): "\(isTrue)"
        case .null: "null"
        case .object(let object): "\(object)"
        case .array(let values): "[\(values.map(text).joined(separator: ", "))]"
        }
    }

    /// Returns `text` as a JSON string. All control and formatting characters are escaped, even those that JSON allows,
    /// because a terminal may interpret them.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.isInstruction:
                // Characters beyond the first 65,536 are surrogate pairs.
                for unit in scalar.utf16 {
                    let digits = String(unit, radix: 16)
                    quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                }
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
