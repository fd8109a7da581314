import Glibc

/// The content of the files that the AWS tools share, with all profiles.
///
/// Source: "Shared config and credentials files" in the AWS SDKs and Tools Reference Guide. Both files may have
/// settings of one profile: in `[profile NAME]` (or `[default]`) of config, and in `[NAME]` of credentials.
struct SharedFiles: Sendable {
    /// The settings of each profile in the config file.
    let config: [String: [String: String]]
    /// The settings of each profile in the credentials file.
    let credentials: [String: [String: String]]
    /// The `[sso-session NAME]` sections of the config file.
    let ssoSessions: [String: [String: String]]
    /// The `[services NAME]` sections of the config file.
    let services: [String: [String: String]]
    let configPath: String
    let credentialsPath: String
    /// The home directory, which contains `.aws`.
    let home: String

    /// Reads the files. A missing file counts as empty.
    ///
    /// - Parameter environment: The environment variables: `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME`
    ///   are used.
    init(environment: [String: String]) throws(SettingsError) {
        home = environment["HOME"].nonEmpty ?? Self.homeOfUser()
        configPath = Self.path(environment["AWS_CONFIG_FILE"], default: "~/.aws/config", home: home)
        credentialsPath = Self.path(
            environment["AWS_SHARED_CREDENTIALS_FILE"], default: "~/.aws/credentials", home: home)
        credentials = try Self.sections(of: credentialsPath)
        let sections = try Self.sections(of: configPath)
        var profiles = Self.named("profile", in: sections)
        if let standard = sections["default"] { profiles["default"] = standard }
        config = profiles
        ssoSessions = Self.named("sso-session", in: sections)
        services = Self.named("services", in: sections)
    }

    /// The names of all profiles.
    var profileNames: [String] { Set(config.keys).union(credentials.keys).sorted() }

    /// Returns a profile; `nil` if neither file has it.
    func profile(_ name: String) -> Profile? {
        guard config[name] != nil || credentials[name] != nil else { return nil }
        return Profile(name: name, files: self)
    }

    private static func sections(of path: String) throws(SettingsError) -> [String: [String: String]] {
        guard let text = try SettingsFile.text(at: path) else { return [:] }
        return try INIFile(parsing: text, name: path).sections
    }

    /// Returns the sections `[KIND NAME]` by their names, which may be in quotation marks.
    private static func named(
        _ kind: String, in sections: [String: [String: String]]
    ) -> [String: [String: String]] {
        var named: [String: [String: String]] = [:]
        for (section, settings) in sections {
            let words = section.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            guard words.count == 2, words[0] == kind else { continue }
            named[words[1].filter { $0 != "\"" && $0 != "'" }] = settings
        }
        return named
    }

    /// Returns `path` with the home directory in the place of "~".
    static func path(_ path: String?, default standard: String, home: String) -> String {
        let path = path.nonEmpty ?? standard
        return path.hasPrefix("~/") ? home + path.dropFirst() : path
    }

    private static func homeOfUser() -> String {
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return "/" }
        return String(cString: directory)
    }
}

/// A profile of the shared files.
struct Profile: Sendable {
    let name: String
    let files: SharedFiles

    /// The settings in the config file.
    var config: [String: String] { files.config[name] ?? [:] }
    /// The settings in the credentials file.
    var credentials: [String: String] { files.credentials[name] ?? [:] }

    /// Returns a setting. The credentials file takes precedence.
    func setting(_ setting: String) -> String? {
        credentials[setting].nonEmpty ?? config[setting].nonEmpty
    }

    /// Returns a required setting, and throws an error if it is missing.
    func needed(_ setting: String) throws(SettingsError) -> String {
        if let value = self.setting(setting) { return value }
        throw SettingsError("\(description) has no \(setting); add it to \(files.configPath)")
    }

    /// The profile, for messages.
    var description: String { "the profile \(Excerpt.of(name.utf8))" }
}

extension String? {
    /// The text; `nil` if it is empty, since the AWS tools treat empty variables as unset.
    var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}
