/// Keys in the section of a profile in one of the shared files.
struct SharedFileCredentials: CredentialsSource {
    private let profile: Profile
    private let settings: [String: String]
    private let path: String

    init(_ profile: Profile, settings: [String: String], path: String) {
        self.profile = profile
        self.settings = settings
        self.path = path
    }

    private var location: String { "\(profile.description) in \(path)" }
    var searchedLocation: String { "aws_access_key_id of \(location)" }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let id = settings["aws_access_key_id"].nonEmpty else { return nil }
        guard let secret = settings["aws_secret_access_key"].nonEmpty else {
            throw SettingsError("\(location) has an aws_access_key_id, but no aws_secret_access_key")
        }
        let token = settings["aws_session_token"].nonEmpty ?? settings["aws_security_token"].nonEmpty
        return ResolvedCredentials(
            credentials: try Credentials(checking: id, secret, sessionToken: token, from: location), source: location,
            expiry: nil, kind: token == nil ? .user : .session)
    }
}
