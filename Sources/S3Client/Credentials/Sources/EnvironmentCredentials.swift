import ObjectStore
import SystemSupport

/// Keys in environment variables.
struct EnvironmentCredentials: CredentialsSource {
    /// What credentials that are found here say of where they are from.
    static let source = "the environment"

    private let environment: [String: String]

    /// Looks in these variables.
    init(_ environment: [String: String]) {
        self.environment = environment
    }

    var whatIsLookedAt: String { "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment" }

    /// The keys, where an id is set.
    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let id = environment["AWS_ACCESS_KEY_ID"].nonEmpty else { return nil }
        guard let secret = environment["AWS_SECRET_ACCESS_KEY"].nonEmpty else {
            throw SettingsError("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not; set both or neither")
        }
        // The second is what the variable was called at first (botocore's EnvProvider).
        let token = environment["AWS_SESSION_TOKEN"].nonEmpty ?? environment["AWS_SECURITY_TOKEN"].nonEmpty
        return ResolvedCredentials(
            credentials: try Credentials(checking: id, secret, sessionToken: token, from: Self.source),
            source: Self.source, expiry: try expiry(), kind: token == nil ? .user : .session)
    }

    private func expiry() throws(SettingsError) -> Timestamp? {
        guard let text = environment["AWS_CREDENTIAL_EXPIRATION"].nonEmpty else { return nil }
        guard let time = Timestamp(iso8601: Array(text.utf8)) else {
            throw SettingsError("AWS_CREDENTIAL_EXPIRATION is no time; one is 2030-01-31T12:00:00Z")
        }
        return time
    }
}
