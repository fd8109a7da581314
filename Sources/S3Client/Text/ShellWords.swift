/// The words of a command as a shell splits them, without expansions (POSIX Shell Command Language, 2.2 "Quoting"),
/// like Python's `shlex.split`.
enum ShellWords {
    /// Splits a command.
    ///
    /// - Returns: `nil` if a quotation mark isn't closed, or the command ends in a backslash.
    static func split(_ command: String) -> [String]? {
        var words: [String] = []
        var word: String?
        // Scalars, not characters: a quotation mark with a combining mark is still one.
        var rest = command.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            switch scalar {
            case "'":
                guard let end = rest.firstIndex(of: "'") else { return nil }
                word = (word ?? "") + String(rest[..<end])
                rest = rest[rest.index(after: end)...]
            case "\"":
                guard let quoted = takeQuoted(&rest) else { return nil }
                word = (word ?? "") + quoted
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                word = (word ?? "") + String(next)
            case " ", "\t", "\r", "\n":
                if let word { words.append(word) }
                word = nil
            default: word = (word ?? "") + String(scalar)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    /// Takes the text up to the next quotation mark. A backslash escapes only a quotation mark or itself.
    private static func takeQuoted(_ rest: inout Substring.UnicodeScalarView) -> String? {
        var text = ""
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return text
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                text += next == "\"" || next == "\\" ? String(next) : "\\\(next)"
            default: text.unicodeScalars.append(scalar)
            }
        }
        return nil
    }
}
