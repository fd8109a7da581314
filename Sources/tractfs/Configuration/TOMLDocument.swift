import TOMLKit

/// A TOML document (toml.io), as values that are left when it has been read. No other file knows the package that reads it.
struct TOMLDocument {
    indirect enum Value {
        case string(String)
        case integer(Int)
        case bool(Bool)
        case table([String: Value])
        /// What no setting is: its type's name in TOML.
        case other(String)

        /// What TOML calls it.
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

    /// Why a text is no document.
    struct SyntaxError: Error {
        /// The first is 1.
        let line: Int
        let message: String
    }

    let members: [String: Value]
    private let text: String

    /// Reads a document.
    init(parsing text: String) throws(SyntaxError) {
        self.text = text
        // The package would take the text to end there.
        if let zero = text.utf8.firstIndex(of: 0) {
            throw SyntaxError(line: text.utf8[..<zero].count { $0 == 0x0a } + 1, message: "it holds a zero byte")
        }
        members = try Self.read(text)
    }

    private static func read(_ text: String) throws(SyntaxError) -> [String: Value] {
        do {
            return members(of: try TOMLTable(string: text))
        } catch {
            guard let error = error as? TOMLParseError else { throw SyntaxError(line: 1, message: "\(error)") }
            throw SyntaxError(line: error.source.begin.line, message: error.description)
        }
    }

    private static func members(of table: TOMLTable) -> [String: Value] {
        var members: [String: Value] = [:]
        for key in table.keys {
            // A key with a zero byte in it isn't found by what is before that; and such a key is no option's.
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

    /// The line in which a key (with the tables that it is in) or a table begins, the first being 1. The package doesn't tell;
    /// but the document up to some line is a document as well, unless that line is in the middle of something, and what it has
    /// more than the one before begins behind that one's end. Takes as many readings as there are lines before it.
    func line(of key: [String]) -> Int {
        var beginning = ""
        var start = 1
        for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            beginning += line + "\n"
            guard let members = try? Self.read(beginning) else { continue }
            if Self.holds(members, key[...]) { return start }
            start = index + 2
        }
        return 1
    }

    private static func holds(_ members: [String: Value], _ key: ArraySlice<String>) -> Bool {
        guard let name = key.first else { return true }
        switch members[name] {
        case nil: return false
        case .table(let members): return holds(members, key.dropFirst())
        default: return key.count == 1
        }
    }
}
