import ObjectStore

/// A JSON object in one line, its members in the order in which they were given (RFC 8259).
struct JSONObject: Sendable, ExpressibleByDictionaryLiteral, CustomStringConvertible {
    enum Value: Sendable {
        case string(String)
        case number(Int)
        /// Finite.
        case real(Double)
        case bool(Bool)
        case null
        case object(JSONObject)
        case array([Value])
    }

    private let members: [(name: String, value: Value)]

    init(_ members: [(name: String, value: Value)]) {
        self.members = members
    }

    init(dictionaryLiteral members: (String, Value)...) {
        self.init(members.map { (name: $0.0, value: $0.1) })
    }

    var description: String {
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

    /// A string of JSON. All control and formatting characters are escaped, also those that needn't be, because they mean
    /// something to a terminal.
    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\\(scalar)"
            case _ where scalar.isInstruction:
                // Two, a surrogate pair, for the few beyond the first 65,536 characters.
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
