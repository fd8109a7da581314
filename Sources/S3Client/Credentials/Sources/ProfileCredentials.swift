/// All that a profile may say of its credentials, but for a role that it assumes.
enum ProfileCredentials {
    /// The sources in botocore's order.
    ///
    /// - Parameter allowsVariables: Whether the environment's web identity counts too.
    static func sources(
        of profile: Profile, _ context: CredentialsContext, allowingVariables allowsVariables: Bool
    ) -> [any CredentialsSource] {
        [
            WebIdentityCredentials(profile, context, allowsVariables: allowsVariables),
            SingleSignOnCredentials(profile, context),
            KeysInFile(profile, settings: profile.credentials, path: profile.files.credentialsPath),
            LoginCredentials(profile: profile), ProcessCredentials(profile, context),
            KeysInFile(profile, settings: profile.config, path: profile.files.configPath),
        ]
    }
}

/// Keys in a profile's section of one of the shared files.
struct KeysInFile: CredentialsSource {
    private let profile: Profile
    private let settings: [String: String]
    private let path: String

    init(_ profile: Profile, settings: [String: String], path: String) {
        self.profile = profile
        self.settings = settings
        self.path = path
    }

    private var place: String { "\(profile.description) in \(path)" }
    var whatIsLookedAt: String { "aws_access_key_id of \(place)" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let id = settings["aws_access_key_id"].nonEmpty else { return nil }
        guard let secret = settings["aws_secret_access_key"].nonEmpty else {
            throw SettingsError("\(place) has an aws_access_key_id, but no aws_secret_access_key")
        }
        let token = settings["aws_session_token"].nonEmpty ?? settings["aws_security_token"].nonEmpty
        return ResolvedCredentials(
            credentials: try Credentials(checking: id, secret, sessionToken: token, from: place), source: place,
            expiry: nil, kind: token == nil ? .user : .session)
    }
}

/// What `aws login` leaves behind. Its sessions are bound to a key of the AWS CLI's, which only that can renew.
struct LoginCredentials: CredentialsSource {
    let profile: Profile

    var whatIsLookedAt: String { "login_session of \(profile.description)" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard profile.setting("login_session") != nil else { return nil }
        throw SettingsError(
            "\(profile.description) is one of `aws login` (login_session), which tractfs can't renew; let the AWS CLI do it: "
                + "credential_process = aws configure export-credentials --profile \(Excerpt.of(profile.name.utf8)) in a "
                + "profile of its own")
    }
}
