import ObjectStore
import SystemSupport

/// What holds, as text, for people and for programs.
struct SettingsListing {
    private let settings: EffectiveSettings
    private let options: DeclaredOptions
    private let findings: [(path: String, finding: ConfigurationSources.Finding)]

    init(
        _ settings: EffectiveSettings, options: DeclaredOptions,
        findings: [(path: String, finding: ConfigurationSources.Finding)]
    ) {
        self.settings = settings
        self.options = options
        self.findings = findings
    }

    // MARK: For people

    /// A line for each option, in columns, and one for each file.
    var table: String {
        let table = TextTable(headings: ["OPTION", "VALUE", "FROM"], rows: options.options.map(row))
        let files = findings.map { path, finding in
            switch finding {
            case .used: "\(path) is used"
            case .missing: "\(path) is not there"
            case .closed: "\(path) is in a folder that is closed to you"
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
        guard case .file(let place) = origin, let table = place.table else { return "\(origin)" }
        return "\(origin) [\(printable(table))]"
    }

    private static func printable(_ value: Setting.Value) -> String {
        switch value {
        case .flag(let isTrue): "\(isTrue)"
        case .text(""): "-"
        case .text(let text): printable(text)
        }
    }

    /// Without what a terminal would obey.
    private static func printable(_ text: String) -> String {
        text.replacingControlCharacters(with: "\u{fffd}")
    }

    // MARK: For programs

    /// A JSON array, an object a line.
    var json: String {
        "[\n" + options.options.map { "  \(object($0))" }.joined(separator: ",\n") + "\n]\n"
    }

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
        case .file(let place): return Self.object(option, value: value, source: "file", place: place)
        }
    }

    private static func standard(of option: DeclaredOptions.Option) -> JSONObject.Value {
        if option.isFlag { return .bool(option.standard == "true") }
        return option.standard.map { .string($0) } ?? .null
    }

    private static func object(
        _ option: DeclaredOptions.Option, value: JSONObject.Value, source: String, variable: String? = nil,
        place: ConfigurationFile.Place? = nil
    ) -> JSONObject {
        [
            "option": .string(option.name), "value": value, "source": .string(source),
            "variable": variable.map { .string($0) } ?? .null, "file": place.map { .string($0.path) } ?? .null,
            "line": place.map { .number($0.line) } ?? .null, "table": place?.table.map { .string($0) } ?? .null,
        ]
    }
}
