/// One place where credentials may be found.
public protocol CredentialsSource: Sendable {
    /// Where this is, for a person: "the environment".
    var name: String { get }
    /// What is looked at, for the message that nothing was found anywhere.
    var whatIsLookedAt: String { get }

    /// The credentials, or `nil` where this source has none.
    ///
    /// - Throws: Where it has something that can't be used; later sources aren't asked then.
    func credentials() throws(SettingsError) -> Credentials?
}

/// The sources in the order in which the AWS SDKs ask them: the first that has credentials answers.
public struct CredentialsChain: Sendable {
    private let sources: [any CredentialsSource]

    /// A chain of these sources, the first asked first.
    public init(_ sources: [any CredentialsSource]) {
        self.sources = sources
    }

    /// The environment, then the profile; the profile alone where the command line names one.
    public init(environment: [String: String], shared: SharedConfiguration) {
        let profile = ProfileCredentials(shared)
        self.init(shared.isProfileExplicit ? [profile] : [EnvironmentCredentials(environment), profile])
    }

    /// Asks the sources.
    ///
    /// - Returns: The credentials, and the name of the source that had them.
    /// - Throws: What a source threw, or, where none has credentials, what was looked at.
    public func resolve() throws(SettingsError) -> (credentials: Credentials, source: String) {
        for source in sources {
            if let credentials = try source.credentials() { return (credentials, source.name) }
        }
        throw SettingsError(
            "no AWS credentials found (looked at \(sources.map(\.whatIsLookedAt).joined(separator: ", "))); "
                + "set them, name a profile with --profile, or give --no-sign-request for a public bucket")
    }
}

/// Keys in environment variables.
public struct EnvironmentCredentials: CredentialsSource {
    private let environment: [String: String]

    /// Looks in these variables.
    public init(_ environment: [String: String]) {
        self.environment = environment
    }

    /// "the environment".
    public var name: String { "the environment" }
    /// The names of the variables.
    public var whatIsLookedAt: String { "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment" }

    /// The keys, where an id is set.
    public func credentials() throws(SettingsError) -> Credentials? {
        guard let id = environment["AWS_ACCESS_KEY_ID"].nonEmpty else { return nil }
        guard let secret = environment["AWS_SECRET_ACCESS_KEY"].nonEmpty else {
            throw SettingsError("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; set both or neither")
        }
        return try Credentials(
            checking: id, secret, sessionToken: environment["AWS_SESSION_TOKEN"].nonEmpty, from: "the environment")
    }
}

/// Keys in a profile of the shared files.
public struct ProfileCredentials: CredentialsSource {
    private let shared: SharedConfiguration

    /// Looks in this profile.
    public init(_ shared: SharedConfiguration) {
        self.shared = shared
    }

    /// The profile's name.
    public var name: String { "the profile \(Excerpt.of(shared.profile.utf8))" }
    /// The profile and its files.
    public var whatIsLookedAt: String { "\(name) in \(shared.credentialsPath) and \(shared.configPath)" }

    /// The keys, in botocore's order: roles and single sign-on, then the credentials file's keys, then a process, then
    /// the config file's keys.
    public func credentials() throws(SettingsError) -> Credentials? {
        for setting in ["role_arn", "web_identity_token_file", "sso_session", "sso_start_url"]
        where shared.setting(setting) != nil {
            throw unsupported(setting)
        }
        if let keys = try keys(in: shared.credentials, of: shared.credentialsPath) { return keys }
        for setting in ["credential_process", "login_session"] where shared.setting(setting) != nil {
            throw unsupported(setting)
        }
        if let keys = try keys(in: shared.config, of: shared.configPath) { return keys }
        guard shared.isProfileExplicit else { return nil }
        throw SettingsError(
            "\(name) has no aws_access_key_id, neither in \(shared.credentialsPath) nor in \(shared.configPath)")
    }

    private func keys(in settings: [String: String], of path: String) throws(SettingsError) -> Credentials? {
        guard let id = settings["aws_access_key_id"].nonEmpty else { return nil }
        guard let secret = settings["aws_secret_access_key"].nonEmpty else {
            throw SettingsError("\(name) in \(path) has an aws_access_key_id, but no aws_secret_access_key")
        }
        return try Credentials(
            checking: id, secret, sessionToken: settings["aws_session_token"].nonEmpty, from: "\(name) in \(path)")
    }

    private func unsupported(_ setting: String) -> SettingsError {
        SettingsError(
            "\(name) gets its credentials through \(setting), which is not supported yet; "
                + "put temporary keys into the environment, for example with: aws configure export-credentials --format env"
        )
    }
}

extension Credentials {
    /// Credentials as a source has them. A blank or a line break in one, such as a file edited on Windows leaves at the end
    /// of a line, would be refused by the store without a reason, or end the header that it stands in.
    fileprivate init(
        checking accessKeyID: String, _ secretAccessKey: String, sessionToken: String?, from source: String
    ) throws(SettingsError) {
        let values = [
            "access key id": accessKeyID, "secret access key": secretAccessKey, "session token": sessionToken,
        ]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard value?.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) ?? true else {
                throw SettingsError(
                    "the \(name) from \(source) has a blank, a line break or another character that can't be in one; "
                        + "write it again")
            }
        }
        self.init(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken)
    }
}
