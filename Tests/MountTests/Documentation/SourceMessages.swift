import Foundation
import TestSupport

/// The messages for people that stand in the sources, as far as a simple look at the text finds them: what is given to
/// the errors that commands print and the store's errors, which the log tells, and to the log as a warning or worse.
/// What is interpolated is "…".
enum SourceMessages {
    /// The text of each file of Sources.
    static func sources() throws -> [String: String] {
        let sources = packageRoot + "/Sources"
        let paths = FileManager.default.enumerator(atPath: sources)?.allObjects as? [String] ?? []
        return try Dictionary(
            uniqueKeysWithValues: paths.filter { $0.hasSuffix(".swift") }.map {
                ($0, try String(contentsOfFile: sources + "/" + $0, encoding: .utf8))
            })
    }

    /// Returns the messages of Sources, without the findings of the doctor, each of which gives advice.
    static func all() throws -> [String: String] {
        let beginning = try Regex(
            #"(?:\b(?:Failure|SettingsError|ValidationError|MountError|StoreError)\(\s*(?:\.?\w+,\s*)?"#
                + #"|\blogger\??\.(?:warning|error|critical)\(\s*|\bmessage(?::|\s*=)\s*)(?=")"#
        ).wordBoundaryKind(.simple)
        var messages: [String: String] = [:]
        for (path, text) in try sources() where !path.hasPrefix("Diagnostics/Checks/") {
            for match in text.matches(of: beginning) {
                var literals = StringLiterals(text[match.range.upperBound...])
                let message = literals.read()
                // What a message made elsewhere is put into, as in "…: …", has no words of its own.
                if message.split(whereSeparator: { !$0.isLetter }).count(where: { $0.count > 1 }) >= 3 {
                    messages[message] = path
                }
            }
        }
        return messages
    }
}

/// String literals that are joined by "+", read as one text.
private struct StringLiterals {
    private var rest: Substring
    private var text = ""

    init(_ rest: Substring) {
        self.rest = rest
    }

    /// The text, in one line.
    mutating func read() -> String {
        repeat {
            if rest.hasPrefix("\"\"\"") { readLiteral(endingWith: "\"\"\"") } else { readLiteral(endingWith: "\"") }
            rest = rest.drop(while: \.isWhitespace)
            guard rest.first == "+" else { break }
            rest = rest.dropFirst().drop(while: \.isWhitespace)
        } while rest.first == "\""
        return text.split(whereSeparator: \.isWhitespace).joined(separator: " ").replacing(/…+/, with: "…")
    }

    private mutating func readLiteral(endingWith end: String) {
        rest = rest.dropFirst(end.count)
        while !rest.isEmpty, !rest.hasPrefix(end) {
            if rest.hasPrefix("\\(") {
                rest = rest.dropFirst(2)
                skipInterpolation()
                text += "…"
            } else if rest.first == "\\" {
                // A line that goes on, or a character that would mean something else.
                let next = rest.dropFirst().first ?? " "
                if !next.isNewline { text.append(next) }
                rest = rest.dropFirst(2)
                if next.isNewline { rest = rest.drop(while: \.isWhitespace) }
            } else {
                text.append(rest.removeFirst())
            }
        }
        rest = rest.dropFirst(end.count)
    }

    private mutating func skipInterpolation() {
        var depth = 1
        while depth > 0, let character = rest.popFirst() {
            if character == "(" { depth += 1 }
            if character == ")" { depth -= 1 }
        }
    }
}
