/// The value of one option, and its origin.
package struct Setting {
    package enum Value: Equatable {
        case flag(Bool)
        case text(String)
    }

    package enum Origin {
        case commandLine
        /// A variable of the environment.
        case variable(String)
        case file(ConfigurationFile.Location)
    }

    /// The name of the option (`DeclaredOptions.Option`).
    package let option: String
    package let value: Value
    package let origin: Origin

    /// The setting as an argument of a command line.
    package var argument: String {
        switch value {
        case .flag(true): "--\(option)"
        case .flag(false): "--no-\(option)"
        case .text(let text): "--\(option)=\(text)"
        }
    }

    /// Reads the value of a flag from a word.
    static func flag(_ text: String) -> Bool? {
        switch text.lowercased() {
        case "true", "yes", "on", "1": true
        case "false", "no", "off", "0": false
        default: nil
        }
    }
}

extension Setting.Origin: CustomStringConvertible {
    /// The place to look for the setting.
    package var description: String {
        switch self {
        case .commandLine: "the command line"
        case .variable(let name): name
        case .file(let location): location.description
        }
    }
}

extension [Setting] {
    /// Returns the message of an error. If it names options of these settings, their origins come first.
    package func attributing(_ message: String) -> String {
        let names = Set(message.split { !($0.isLetter || $0.isNumber || $0 == "-") })
        let named = filter { !names.isDisjoint(with: ["--\($0.option)", "--no-\($0.option)"]) }
        if named.isEmpty { return message }
        return named.map { "\($0.origin) (\($0.option))" }.joined(separator: ", ") + ": " + message
    }
}

/// The settings of one table of a file, of the environment, or of the command line: each option once.
package typealias SettingLayer = [Setting]

/// The effective settings: for each option the one of the nearest layer.
package struct EffectiveSettings {
    private(set) var settings: [String: Setting] = [:]

    /// Merges layers.
    ///
    /// - Parameter layers: The nearest first.
    init(_ layers: [SettingLayer]) {
        for layer in layers {
            let nearer = settings
            for setting in layer where nearer[setting.option] == nil && !Self.isOverruled(setting, by: nearer) {
                settings[setting.option] = setting
            }
        }
    }

    /// The settings that are not on the command line, by the names of their options. An empty text in a file only
    /// undoes the setting of a farther file.
    package var added: [Setting] {
        settings.values.filter { setting in
            if case .commandLine = setting.origin { return false }
            return setting.value != .text("")
        }
        .sorted { $0.option < $1.option }
    }

    /// Returns `true` if a nearer layer contradicts a setting: no cache against its folder, or the folder of the cache
    /// against no cache. Within one layer that is an error, which the command reports.
    private static func isOverruled(_ setting: Setting, by nearer: [String: Setting]) -> Bool {
        switch (setting.option, setting.value) {
        case ("cache-dir", _): nearer["cache"]?.value == .flag(false)
        case ("cache", .flag(false)): nearer["cache-dir"].map { $0.value != .text("") } ?? false
        default: false
        }
    }
}
