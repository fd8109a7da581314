import ObjectStore
import SystemSupport

/// A role that is played with a token that somebody else keeps fresh in a file, as EKS does and CI services do.
///
/// Source: "Assume role with web identity" in the AWS SDKs and Tools Reference Guide; botocore's
/// AssumeRoleWithWebIdentityProvider.
struct WebIdentityCredentials: CredentialsSource {
    private let profile: Profile
    private let context: CredentialsContext
    private let allowsVariables: Bool

    init(_ profile: Profile, _ context: CredentialsContext, allowsVariables: Bool) {
        self.profile = profile
        self.context = context
        self.allowsVariables = allowsVariables
    }

    var whatIsLookedAt: String {
        (allowsVariables ? "AWS_WEB_IDENTITY_TOKEN_FILE, " : "") + "web_identity_token_file of \(profile.description)"
    }

    /// A value, and what sets it.
    private func value(_ variable: String, _ setting: String) -> (value: String, source: String)? {
        if allowsVariables, let value = context.environment[variable].nonEmpty { return (value, variable) }
        return profile.setting(setting).map { ($0, "\(setting) of \(profile.description)") }
    }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard let file = value("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file") else { return nil }
        guard let role = value("AWS_ROLE_ARN", "role_arn") else {
            throw SettingsError("\(file.source) is set, but neither AWS_ROLE_ARN nor role_arn says for which role")
        }
        let sessionName = value("AWS_ROLE_SESSION_NAME", "role_session_name")?.value
        let token = try SettingsFile.token(
            at: SharedFiles.path(file.value, default: "", home: profile.files.home), namedBy: file.source)
        let service = try SecurityTokenService(context)
        do throws(SecurityTokenService.Refusal) {
            let assumed = try service.assume(
                .init(arn: role.value, sessionName: sessionName ?? "tractfs-\(Timestamp.now.seconds)"), withToken: token
            )
            return ResolvedCredentials(
                credentials: assumed.credentials,
                source: "the role \(Excerpt.of(role.value.utf8)), by the token in \(file.value)",
                expiry: assumed.expiry,
                kind: .session)
        } catch {
            throw SettingsError(
                "can't assume the role \(Excerpt.of(role.value.utf8)) (\(role.source)) with the token in \(file.value) "
                    + "(\(file.source)): \(error.description)", mayPass: error.mayPass)
        }
    }
}
