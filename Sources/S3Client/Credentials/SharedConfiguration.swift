/// The profile that is in use, from the files that the AWS tools share (`~/.aws/config` and `~/.aws/credentials`).
public struct SharedConfiguration: Sendable {
    /// Whether the user named the profile on the command line, which puts it before keys in the environment.
    public let isProfileExplicit: Bool
    let profile: Profile

    /// Reads the files.
    ///
    /// - Parameters:
    ///   - profile: The profile of the command line; otherwise `AWS_PROFILE`, otherwise `default`.
    ///   - environment: Where `AWS_PROFILE`, `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME` are looked up.
    /// - Throws: What can't be read, or that a profile which was named is in neither file.
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

    /// The names of all profiles, to choose one from; none where the files can't be read.
    ///
    /// - Parameter environment: Where `AWS_CONFIG_FILE`, `AWS_SHARED_CREDENTIALS_FILE` and `HOME` are looked up.
    public static func profileNames(environment: [String: String]) -> [String] {
        (try? SharedFiles(environment: environment).profileNames) ?? []
    }

    /// A setting of the profile that isn't secret, such as `region`; the credentials file's, where both have it.
    func setting(_ name: String) -> String? {
        profile.setting(name)
    }
}
