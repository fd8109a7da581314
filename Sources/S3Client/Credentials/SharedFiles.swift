import Glibc

/// What the files that the AWS tools share say, all profiles of them.
///
/// Source: "Shared config and credentials files" in the AWS SDKs and Tools Reference Guide. Both files may speak of one
/// profile: `[profile NAME]` (or `[default]`) in config, `[NAME]` in credentials.
struct SharedFiles: Sendable {
    /// By profile, the settings in the config file.
    let config: [String: [String: String]]
    /// By profile, the settings in the credentials file.
    let credentials: [String: [String: String]]
    /// The config file's `[sso-session NAME]`.
    let ssoSessions: [String: [String: String]]
    /// The config file's `[services NAME]`.
    let services: [String: [String: String]]
    let configPath: String
    let credentialsPath: String
    /// Where `~/.aws` is.
    let home: String

    /// Reads the files; one that is missing says nothing.
    ///
    /// - Parameter environment: Where `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME` are looked up.
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

    /// The profile, where one of the files speaks of it.
    func profile(_ name: String) -> Profile? {
        guard config[name] != nil || credentials[name] != nil else { return nil }
        return Profile(name: name, files: self)
    }

    private static func sections(of path: String) throws(SettingsError) -> [String: [String: String]] {
        guard let text = try SettingsFile.text(at: path) else { return [:] }
        return try INIFile(parsing: text, name: path).sections
    }

    /// The sections `[KIND NAME]` by their names, which may stand in quotation marks.
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

    /// `path` with the home directory for a "~".
    static func path(_ path: String?, default standard: String, home: String) -> String {
        let path = path.nonEmpty ?? standard
        return path.hasPrefix("~/") ? home + path.dropFirst() : path
    }

    private static func homeOfUser() -> String {
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return "/" }
        return String(cString: directory)
    }
}

/// One profile of the shared files.
struct Profile: Sendable {
    let name: String
    let files: SharedFiles

    /// Its settings in the config file.
    var config: [String: String] { files.config[name] ?? [:] }
    /// Its settings in the credentials file.
    var credentials: [String: String] { files.credentials[name] ?? [:] }

    /// A setting; the credentials file's, where both have it.
    func setting(_ setting: String) -> String? {
        credentials[setting].nonEmpty ?? config[setting].nonEmpty
    }

    /// A setting that can't be done without.
    func needed(_ setting: String) throws(SettingsError) -> String {
        if let value = self.setting(setting) { return value }
        throw SettingsError("\(description) has no \(setting); add it to \(files.configPath)")
    }

    /// The profile, for a message.
    var description: String { "the profile \(Excerpt.of(name.utf8))" }
}

extension String? {
    /// The text, unless it is empty: to the AWS tools an empty variable is one that isn't set.
    var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}
