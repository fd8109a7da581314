/// The active profile in the files that the AWS tools share (`~/.aws/config` and `~/.aws/credentials`).
public struct SharedConfiguration: Sendable {
    /// `true` if the command line names the profile, which then takes precedence over keys in the environment.
    public let isProfileExplicit: Bool
    let profile: Profile

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - profile: The profile of the command line; `nil` for `AWS_PROFILE`, and without that for `default`.
    ///   - environment: The environment variables: `AWS_PROFILE`, `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and
    ///     `HOME` are used.
    /// - Throws: An error if a file cannot be read, or if neither file has the profile that is named.
    public init(profile: String?, environment: [String: String]) throws(SettingsError) {
        let files = try SharedFiles(environment: environment)
        let named =
            profile.nonEmpty ?? environment["AWS_PROFILE"].nonEmpty ?? environment["AWS_DEFAULT_PROFILE"].nonEmpty
        isProfileExplicit = profile.nonEmpty != nil
        if let named, files.profile(named) == nil {
            let known = files.profileNames.map { Excerpt.of($0.utf8) }.joined(separator: ", ")
            throw SettingsError(
                "there is no profile \(Excerpt.of(named.utf8)) in \(files.configPath) and \(files.credentialsPath); "
                    + (known.isEmpty ? "they have none" : "they have \(known)"))
        }
        self.profile = Profile(name: named ?? "default", files: files)
    }

    /// Returns the names of all profiles; an empty array if the files cannot be read.
    ///
    /// - Parameter environment: The environment variables: `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME`
    ///   are used.
    public static func profileNames(environment: [String: String]) -> [String] {
        (try? SharedFiles(environment: environment).profileNames) ?? []
    }

    /// Returns a setting of the profile that is not secret, such as `region`. The credentials file takes precedence.
    func setting(_ name: String) -> String? {
        profile.setting(name)
    }
}
