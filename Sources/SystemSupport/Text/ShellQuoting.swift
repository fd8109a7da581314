extension String {
    /// The text as one word of a shell command (POSIX, 2.2.2): in single quotes.
    public var shellQuoted: String {
        // Scalars, since a shell knows no characters: a quotation mark with a combining mark on it is one all the same.
        "'" + unicodeScalars.map { $0 == "'" ? "'\\''" : String($0) }.joined() + "'"
    }

    /// The text as one word of a shell command, in quotes only if it needs them: for commands in messages.
    public var shellWord: String {
        let isPlain = unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789/._-+,:@%".unicodeScalars.contains($0)
        }
        return isPlain ? self : shellQuoted
    }
}
