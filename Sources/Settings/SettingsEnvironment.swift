import SystemSupport

/// Settings in the environment: `TRACTFS_CACHE_DIR` for `--cache-dir`.
enum SettingsEnvironment {
    private static let prefix = "TRACTFS_"
    /// The variable that names a configuration file, as `--config` does.
    static let configuration = "TRACTFS_CONFIG"

    /// Returns `true` if a variable may be a setting. A closer look takes longer.
    static func mayHoldSettings(_ variables: [String: String]) -> Bool {
        variables.contains { $0.key.hasPrefix(prefix) && $0.key != configuration && !$0.value.isEmpty }
    }

    /// Returns the settings of the variables. Empty ones, and those that don't resemble an option's, are ignored.
    static func settings(_ variables: [String: String], options: DeclaredOptions) throws(Failure) -> SettingLayer {
        var settings: SettingLayer = []
        for (variable, value) in variables.sorted(by: { $0.key < $1.key }) {
            guard variable.hasPrefix(prefix), variable != configuration, !value.isEmpty,
                let setting = try setting(variable, value, options)
            else { continue }
            if settings.contains(where: { $0.option == setting.option }) {
                throw Failure("\(variable) and another variable set the same option; unset one of them")
            }
            settings.append(setting)
        }
        return settings
    }

    private static func setting(
        _ variable: String, _ value: String, _ options: DeclaredOptions
    ) throws(Failure) -> Setting? {
        let name = variable.dropFirst(prefix.count).lowercased().replacing("_", with: "-")
        guard let (option, isNegated) = options.meaning(of: name) else {
            if let nearest = options.nearest(to: name) {
                throw Failure("there is no option for \(variable); did you mean \(self.variable(of: nearest))?")
            }
            return nil
        }
        guard option.isFlag else {
            return Setting(option: option.name, value: .text(value), origin: .variable(variable))
        }
        guard let isTrue = Setting.flag(value) else {
            throw Failure("\(variable) is \"\(value)\"; set it to true or to false")
        }
        return Setting(option: option.name, value: .flag(isTrue != isNegated), origin: .variable(variable))
    }

    /// Returns the variable of an option.
    private static func variable(of option: String) -> String {
        prefix + option.uppercased().replacing("-", with: "_")
    }
}
