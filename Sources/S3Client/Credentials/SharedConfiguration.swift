import Glibc

/// The profile that is in use, from the files that the AWS tools share (`~/.aws/config` and `~/.aws/credentials`).
///
/// Source: "Shared config and credentials files" in the AWS SDKs and Tools Reference Guide. Both files may speak of one
/// profile: `[profile NAME]` (or `[default]`) in config, `[NAME]` in credentials.
public struct SharedConfiguration: Sendable {
    /// The profile's name.
    public let profile: String
    /// Whether the user named it on the command line, which puts it before keys in the environment.
    public let isProfileExplicit: Bool
    /// The profile's settings in the config file.
    let config: [String: String]
    /// The profile's settings in the credentials file.
    let credentials: [String: String]
    let configPath: String
    let credentialsPath: String

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - profile: The profile of the command line; otherwise `AWS_PROFILE`, otherwise `default`.
    ///   - environment: Where `AWS_PROFILE`, `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME` are looked up.
    /// - Throws: What can't be read, or that a profile which was named is in neither file.
    public init(profile: String?, environment: [String: String]) throws(SettingsError) {
        let home = environment["HOME"].nonEmpty ?? Self.homeOfUser()
        let configPath = Self.path(environment["AWS_CONFIG_FILE"], default: "~/.aws/config", home: home)
        let credentialsPath = Self.path(
            environment["AWS_SHARED_CREDENTIALS_FILE"], default: "~/.aws/credentials", home: home)
        let config = Self.profiles(inConfig: try Self.sections(of: configPath))
        let credentials = try Self.sections(of: credentialsPath)
        let named =
            profile.nonEmpty ?? environment["AWS_PROFILE"].nonEmpty ?? environment["AWS_DEFAULT_PROFILE"].nonEmpty
        let name = named ?? "default"
        if named != nil, config[name] == nil, credentials[name] == nil {
            let known = Set(config.keys).union(credentials.keys).sorted()
            let choice =
                known.isEmpty
                ? "they have none" : "they have \(known.map { Excerpt.of($0.utf8) }.joined(separator: ", "))"
            throw SettingsError(
                "there is no profile \(Excerpt.of(name.utf8)) in \(configPath) and \(credentialsPath); \(choice)")
        }
        self.profile = name
        self.isProfileExplicit = profile.nonEmpty != nil
        self.config = config[name] ?? [:]
        self.credentials = credentials[name] ?? [:]
        self.configPath = configPath
        self.credentialsPath = credentialsPath
    }

    /// A setting of the profile that isn't secret, such as `region`; the credentials file's, where both have it.
    func setting(_ name: String) -> String? {
        credentials[name].nonEmpty ?? config[name].nonEmpty
    }

    private static func sections(of path: String) throws(SettingsError) -> [String: [String: String]] {
        guard let text = try SettingsFile.text(at: path) else { return [:] }
        return try INIFile(parsing: text, name: path).sections
    }

    /// The profiles among a config file's sections; a name may stand in quotation marks.
    private static func profiles(inConfig sections: [String: [String: String]]) -> [String: [String: String]] {
        var profiles: [String: [String: String]] = [:]
        for (section, settings) in sections {
            let words = section.split(maxSplits: 1, whereSeparator: \.isWhitespace)
            if section == "default" {
                profiles["default"] = settings
            } else if words.count == 2, words[0] == "profile" {
                profiles[words[1].filter { $0 != "\"" && $0 != "'" }] = settings
            }
        }
        return profiles
    }

    private static func path(_ path: String?, default standard: String, home: String) -> String {
        let path = path.nonEmpty ?? standard
        return path.hasPrefix("~/") ? home + path.dropFirst() : path
    }

    private static func homeOfUser() -> String {
        guard let entry = getpwuid(getuid()), let directory = entry.pointee.pw_dir else { return "/" }
        return String(cString: directory)
    }
}

extension String? {
    /// The text, unless it is empty: to the AWS tools an empty variable is one that isn't set.
    var nonEmpty: String? { self?.isEmpty == true ? nil : self }
}
