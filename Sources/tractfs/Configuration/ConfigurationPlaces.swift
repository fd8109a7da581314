/// Where configuration files are looked for.
struct ConfigurationPlaces {
    /// The nearest first.
    let places: [ConfigurationPlace]

    /// The file for all users of a machine.
    static let system = "/etc/tractfs.toml"

    /// - Parameters:
    ///   - named: What `--config` says: this file instead of all others.
    ///   - environment: May name a file as well (`TRACTFS_CONFIG`), and the user's folders.
    ///   - system: Where the system's file is.
    init(named: String?, environment: [String: String], system: String = Self.system) {
        if let named = named ?? environment[SettingsEnvironment.configuration], !named.isEmpty {
            places = [ConfigurationPlace(path: AbsolutePath.of(named), owner: .named)]
        } else {
            let user = Self.userFile(environment).map { ConfigurationPlace(path: $0, owner: .user) }
            places = [user, ConfigurationPlace(path: system, owner: .system)].compactMap { $0 }
        }
    }

    /// That of the XDG base directory specification, which has what isn't absolute ignored.
    private static func userFile(_ environment: [String: String]) -> String? {
        let file = "tractfs/config.toml"
        if let folder = environment["XDG_CONFIG_HOME"], folder.hasPrefix("/") { return "\(folder)/\(file)" }
        guard let home = environment["HOME"], home.hasPrefix("/") else { return nil }
        return "\(home)/.config/\(file)"
    }
}
