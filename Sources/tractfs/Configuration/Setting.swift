/// What one option is given, and by whom.
struct Setting {
    enum Value: Equatable {
        case flag(Bool)
        case text(String)
    }

    enum Origin {
        /// On the command line itself.
        case commandLine
        /// A variable of the environment.
        case variable(String)
        case file(ConfigurationFile.Place)
    }

    /// The option's name (`DeclaredOptions.Option`).
    let option: String
    let value: Value
    let origin: Origin

    /// As an argument of a command line.
    var argument: String {
        switch value {
        case .flag(true): "--\(option)"
        case .flag(false): "--no-\(option)"
        case .text(let text): "--\(option)=\(text)"
        }
    }

    /// Reads what a flag is given by a word.
    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}

/// Settings of one table of a file, or of the environment, or of the command line: each option once.
typealias SettingLayer = [Setting]

/// What holds: for each option the nearest of what several layers say.
struct EffectiveSettings {
    private(set) var settings: [String: Setting] = [:]

    /// - Parameter layers: The nearest first.
    init(_ layers: [SettingLayer]) {
        for layer in layers {
            let nearer = settings
            for setting in layer where nearer[setting.option] == nil && !Self.isRuledOut(setting, by: nearer) {
                settings[setting.option] = setting
            }
        }
    }

    /// Those that are not on the command line anyway, by their names. An empty text in a file only undoes what a farther
    /// file says.
    var added: [Setting] {
        settings.values.filter { setting in
            if case .commandLine = setting.origin { return false }
            return setting.value != .text("")
        }
        .sorted { $0.option < $1.option }
    }

    /// Whether what is nearer means the contrary of a setting: a folder for the cache where there is to be none, or no cache
    /// where its folder is named. In one and the same layer that is an error, which the command tells.
    private static func isRuledOut(_ setting: Setting, by nearer: [String: Setting]) -> Bool {
        switch (setting.option, setting.value) {
        case ("cache-dir", _): nearer["cache"]?.value == .flag(false)
        case ("cache", .flag(false)): nearer["cache-dir"].map { $0.value != .text("") } ?? false
        default: false
        }
    }
}

extension Setting.Origin: CustomStringConvertible {
    /// Where to look for it.
    var description: String {
        switch self {
        case .commandLine: "the command line"
        case .variable(let name): name
        case .file(let place): place.description
        }
    }
}
