/// An INI file in the format of the AWS tools: sections of settings, with names in lower case.
///
/// Accepts the format of Python's `RawConfigParser`, which botocore uses for these files: "=" or ":" is the separator,
/// a line that begins with "#" or ";" is a comment (a value has no comments behind it), and a line with a deeper indent
/// than the setting before it continues that setting. If that setting is empty (`s3 =`), the indented lines are
/// settings within it, with names such as `s3.endpoint_url`. Other continuations are skipped, since AWS has none.
struct INIFile: Equatable {
    /// The settings by section, with the section's name as it is written between the brackets.
    private(set) var sections: [String: [String: String]] = [:]

    /// Reads the text of a file.
    ///
    /// - Parameters:
    ///   - text: The content of the file.
    ///   - name: The file's name for errors, which never repeat a line, since it could contain a secret.
    init(parsing text: String, name: String) throws(SettingsError) {
        var section: String?
        /// The setting that an indented line continues.
        var setting: (name: String, indent: Int)?
        let lines = text.drop { $0 == "\u{FEFF}" }.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() {
            let content = Self.trimmed(line)
            if content.isEmpty || content.hasPrefix("#") || content.hasPrefix(";") { continue }
            let indent = line.prefix { $0.isWhitespace }.count
            if let setting, indent > setting.indent {
                if let section { addNested(content, to: setting.name, in: section) }
                continue
            }
            let location = "line \(index + 1) of \(name)"
            if content.hasPrefix("[") {
                section = try beginSection(content, at: location)
                setting = nil
            } else {
                guard let section else { throw SettingsError("\(location) comes before the first [section]") }
                setting = (try addSetting(content, to: section, at: location), indent)
            }
        }
    }

    private mutating func beginSection(_ content: Substring, at location: String) throws(SettingsError) -> String {
        guard let end = content.firstIndex(of: "]") else {
            throw SettingsError("\(location) has a \"[\" without a \"]\"")
        }
        let name = String(content[..<end].dropFirst())
        guard sections[name] == nil else {
            throw SettingsError("\(location) begins the section [\(Excerpt.of(name.utf8))] again; join the two")
        }
        sections[name] = [:]
        return name
    }

    private mutating func addSetting(
        _ content: Substring, to section: String, at location: String
    ) throws(SettingsError) -> String {
        guard let separator = content.firstIndex(where: { $0 == "=" || $0 == ":" }) else {
            throw SettingsError("\(location) is neither a [section] nor a setting of the form NAME = VALUE")
        }
        let name = Self.trimmed(content[..<separator]).lowercased()
        guard !name.isEmpty else { throw SettingsError("\(location) has a value without a name") }
        guard sections[section]?[name] == nil else {
            throw SettingsError("\(location) gives \(Excerpt.of(name.utf8)) again; remove one of the two")
        }
        sections[section]?[name] = String(Self.trimmed(content[content.index(after: separator)...]))
        return name
    }

    private mutating func addNested(_ content: Substring, to setting: String, in section: String) {
        guard sections[section]?[setting] == "", let separator = content.firstIndex(of: "=") else { return }
        let name = Self.trimmed(content[..<separator]).lowercased()
        let value = Self.trimmed(content[content.index(after: separator)...])
        sections[section]?["\(setting).\(name)"] = String(value)
    }

    private static func trimmed(_ text: Substring) -> Substring {
        var text = text.drop { $0.isWhitespace }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
