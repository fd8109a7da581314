import TOMLKit

/// A TOML document (toml.io), as values. No other file uses the package that parses it.
struct TOMLDocument {
    indirect enum Value {
        case string(String)
        case integer(Int)
        case bool(Bool)
        case table([String: Value])
        /// A value of a type that no setting has, by the name of the type in TOML.
        case other(String)

        /// The name of the type in TOML.
        var typeName: String {
            switch self {
            case .string: "string"
            case .integer: "integer"
            case .bool: "boolean"
            case .table: "table"
            case .other(let name): name
            }
        }
    }

    struct SyntaxError: Error {
        /// The number of the line; the first is 1.
        let line: Int
        let message: String
    }

    let members: [String: Value]
    private let text: String

    /// Parses a document.
    init(parsing text: String) throws(SyntaxError) {
        self.text = text
        // The package would take the text to end there.
        if let zero = text.utf8.firstIndex(of: 0) {
            throw SyntaxError(line: text.utf8[..<zero].count { $0 == 0x0a } + 1, message: "it holds a zero byte")
        }
        do {
            members = Self.members(of: try TOMLTable(string: text))
        } catch {
            guard let error = error as? TOMLParseError else { throw SyntaxError(line: 1, message: "\(error)") }
            throw SyntaxError(line: error.source.begin.line, message: error.description)
        }
    }

    private static func members(of table: TOMLTable) -> [String: Value] {
        var members: [String: Value] = [:]
        for key in table.keys {
            // The package finds no key with a zero byte in it; and such a key is no option's.
            members[key] = table[key].map(value) ?? .other("value with a zero byte in its name")
        }
        return members
    }

    private static func value(_ node: any TOMLValueConvertible) -> Value {
        if let text = node.string { return .string(text) }
        if let number = node.int { return .integer(number) }
        if let isTrue = node.bool { return .bool(isTrue) }
        if let table = node.table { return .table(members(of: table)) }
        return .other(node.type.description)
    }

    // MARK: Lines

    /// Returns the number of the line in which a table, or a key with the tables that it is in, begins, since the
    /// package doesn't tell; 1 if no line is found, as for keys with escapes. The first line is 1.
    func line(of key: [String]) -> Int {
        var table: [String] = []
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
        for (index, line) in lines.enumerated() {
            if let header = line.prefixMatch(of: /\s*\[+/) {
                table = Self.names(in: line[header.range.upperBound...], before: "]") ?? []
                if table.starts(with: key) { return index + 1 }
            } else if let names = Self.names(in: line, before: "=") {
                // The rest of the key is in an inline table.
                if key.starts(with: table + names) { return index + 1 }
            }
        }
        return 1
    }

    /// Returns the names of a dotted key in front of `end`.
    private static func names(in line: Substring, before end: Character) -> [String]? {
        var (rest, names) = (line, [String]())
        while let match = rest.prefixMatch(of: /\s*(?:"([^"]*)"|'([^']*)'|([\w-]+))\s*/) {
            names.append(String(match.1 ?? match.2 ?? match.3 ?? ""))
            rest = rest[match.range.upperBound...]
            guard rest.first == "." else { break }
            rest = rest.dropFirst()
        }
        return rest.first == end ? names : nil
    }
}
