/// Words of a command as a shell splits them, without anything else that a shell does (POSIX Shell Command Language, 2.2
/// "Quoting"); what Python's `shlex.split` does.
enum ShellWords {
    /// The words.
    ///
    /// - Returns: `nil` where a quotation mark or a backslash lacks what belongs to it.
    static func split(_ command: String) -> [String]? {
        var words: [String] = []
        var word: String?
        // Not characters: a mark that combines with a quotation mark doesn't take its meaning away.
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

    /// What stands up to the next quotation mark; a backslash takes away the meaning of one and of itself only.
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
