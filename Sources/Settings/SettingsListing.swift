import CommandOutput
import SystemSupport

/// The effective settings as text, for users and for programs.
package struct SettingsListing {
    private let settings: EffectiveSettings
    private let options: DeclaredOptions
    private let findings: [ConfigurationSources.Finding]

    /// Creates a listing of these settings.
    ///
    /// - Parameters:
    ///   - settings: The settings.
    ///   - options: The options that may be set.
    ///   - findings: The findings about the files.
    package init(
        _ settings: EffectiveSettings, options: DeclaredOptions, findings: [ConfigurationSources.Finding]
    ) {
        self.settings = settings
        self.options = options
        self.findings = findings
    }

    // MARK: For users

    /// A line for each option, in columns, and one for each file.
    package var table: String {
        let table = TextTable(headings: ["OPTION", "VALUE", "FROM"], rows: options.options.map(row))
        let files = findings.map { finding in
            switch finding.content {
            case .text: "\(finding.path) is used"
            case .nothing: "\(finding.path) is not there"
            case .closed: "\(finding.path) is in a folder that is closed to you"
            case .ignored(let reason): reason
            }
        }
        return (table.lines + files).map { $0 + "\n" }.joined()
    }

    private func row(_ option: DeclaredOptions.Option) -> [String] {
        guard let setting = settings.settings[option.name] else {
            return [option.name, option.standard ?? "-", "default"]
        }
        return [option.name, Self.printable(setting.value), Self.source(setting.origin)]
    }

    private static func source(_ origin: Setting.Origin) -> String {
        guard case .file(let location) = origin, let table = location.table else { return "\(origin)" }
        return "\(origin) [\(printable(table))]"
    }

    private static func printable(_ value: Setting.Value) -> String {
        switch value {
        case .flag(let isTrue): "\(isTrue)"
        case .text(""): "-"
        case .text(let text): printable(text)
        }
    }

    /// Returns `text` without the characters that a terminal obeys.
    private static func printable(_ text: String) -> String {
        text.replacingControlCharacters(with: "\u{fffd}")
    }

    // MARK: For programs

    /// A JSON array, with one object per line.
    package var json: String { JSONObject.lines(options.options.map(object)) }

    private func object(_ option: DeclaredOptions.Option) -> JSONObject {
        guard let setting = settings.settings[option.name] else {
            return Self.object(option, value: Self.standard(of: option), source: "default")
        }
        let value: JSONObject.Value =
            switch setting.value {
            case .flag(let isTrue): .bool(isTrue)
            case .text(let text): .string(text)
            }
        switch setting.origin {
        case .commandLine: return Self.object(option, value: value, source: "command-line")
        case .variable(let name): return Self.object(option, value: value, source: "environment", variable: name)
        case .file(let location): return Self.object(option, value: value, source: "file", location: location)
        }
    }

    private static func standard(of option: DeclaredOptions.Option) -> JSONObject.Value {
        if option.isFlag { return .bool(option.standard == "true") }
        return option.standard.map { .string($0) } ?? .null
    }

    private static func object(
        _ option: DeclaredOptions.Option, value: JSONObject.Value, source: String, variable: String? = nil,
        location: ConfigurationFile.Location? = nil
    ) -> JSONObject {
        [
            "option": .string(option.name), "value": value, "source": .string(source),
            "variable": variable.map { .string($0) } ?? .null, "file": location.map { .string($0.path) } ?? .null,
            "line": location.map { .number($0.line) } ?? .null,
            "table": location?.table.map { .string($0) } ?? .null,
        ]
    }
}
