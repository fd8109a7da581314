import ObjectStore
import SystemSupport

/// A role that a profile assumes, with the credentials of another profile (`source_profile`) or of the environment, the
/// container or the machine (`credential_source`); those of the other profile may be a role's again.
///
/// Source: "Assume role credential provider" in the AWS SDKs and Tools Reference Guide; botocore's AssumeRoleProvider.
struct RoleCredentials: CredentialsSource {
    private let profile: Profile
    private let context: CredentialsContext
    /// The profiles that led here, this one last.
    private let visited: [String]

    init(_ profile: Profile, _ context: CredentialsContext) {
        self.init(profile, context, visited: [profile.name])
    }

    private init(_ profile: Profile, _ context: CredentialsContext, visited: [String]) {
        self.profile = profile
        self.context = context
        self.visited = visited
    }

    var whatIsLookedAt: String { "role_arn of \(profile.description)" }

    /// Whether the profile assumes a role with other credentials. With a token it is web identity's affair.
    private static func isRole(_ profile: Profile) -> Bool {
        profile.setting("role_arn") != nil && profile.setting("web_identity_token_file") == nil
    }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        guard Self.isRole(profile) else { return nil }
        let role = try role()
        let base = try baseCredentials()
        let service = try SecurityTokenService(context)
        do throws(SecurityTokenService.Refusal) {
            let assumed = try service.assume(role, as: base.credentials)
            return ResolvedCredentials(
                credentials: assumed.credentials,
                source: "the role \(Excerpt.of(role.arn.utf8)) of \(profile.description), by \(base.source)",
                expiry: assumed.expiry, kind: .session)
        } catch {
            throw SettingsError(
                "\(profile.description) can't assume the role \(Excerpt.of(role.arn.utf8)) with the keys of \(base.source): "
                    + "\(error.description)", mayPass: error.mayPass)
        }
    }

    private func role() throws(SettingsError) -> SecurityTokenService.Role {
        if profile.setting("mfa_serial") != nil {
            throw SettingsError(
                "\(profile.description) asks for a code (mfa_serial), which nobody could type for a mount; get temporary keys "
                    + "with: aws configure export-credentials --profile \(Excerpt.of(profile.name.utf8)) --format env")
        }
        var role = SecurityTokenService.Role(
            arn: try profile.needed("role_arn"),
            sessionName: profile.setting("role_session_name") ?? "tractfs-\(Timestamp.now.seconds)")
        role.externalID = profile.setting("external_id")
        if let text = profile.setting("duration_seconds") {
            guard let seconds = Int(text), (900...43_200).contains(seconds) else {
                throw SettingsError(
                    "duration_seconds of \(profile.description) is \(Excerpt.of(text.utf8)); give 900 to 43200")
            }
            role.durationSeconds = seconds
        }
        return role
    }

    // MARK: - Whose credentials ask for the role

    private func baseCredentials() throws(SettingsError) -> ResolvedCredentials {
        switch (profile.setting("source_profile"), profile.setting("credential_source")) {
        case (.some, .some):
            throw SettingsError("\(profile.description) has both source_profile and credential_source; remove one")
        case (.none, .none):
            throw SettingsError(
                "\(profile.description) has a role_arn, but neither source_profile nor credential_source says who asks for "
                    + "the role")
        case (.some(let name), .none): return try credentials(ofProfile: name)
        case (.none, .some(let source)): return try credentials(ofSource: source)
        }
    }

    private func credentials(ofProfile name: String) throws(SettingsError) -> ResolvedCredentials {
        guard let base = profile.files.profile(name) else {
            throw SettingsError("the source_profile of \(profile.description), \(Excerpt.of(name.utf8)), doesn't exist")
        }
        let hasKeys = base.setting("aws_access_key_id") != nil || base.setting("aws_secret_access_key") != nil
        // A profile may name itself, for keys that it has itself.
        guard !visited.contains(name) || (name == profile.name && hasKeys) else {
            let path = (visited + [name]).map { Excerpt.of($0.utf8) }.joined(separator: " → ")
            throw SettingsError("the profiles' source_profile settings go in a circle: \(path)")
        }
        let sources: [any CredentialsSource] =
            Self.isRole(base) && !hasKeys
            ? [RoleCredentials(base, context, visited: visited + [name])]
            : ProfileCredentials.sources(of: base, context, allowingVariables: false)
        for source in sources {
            if let resolved = try source.credentials() { return resolved }
        }
        throw SettingsError(
            "\(base.description), which is the source_profile of \(profile.description), has no credentials")
    }

    private func credentials(ofSource source: String) throws(SettingsError) -> ResolvedCredentials {
        let place: any CredentialsSource
        switch source.lowercased() {
        case "environment": place = EnvironmentCredentials(context.environment)
        case "ecscontainer": place = ContainerCredentials(environment: context.environment)
        case "ec2instancemetadata": place = InstanceCredentials(context)
        default:
            throw SettingsError(
                "credential_source of \(profile.description) is \(Excerpt.of(source.utf8)); give Environment, EcsContainer or "
                    + "Ec2InstanceMetadata")
        }
        if let resolved = try place.credentials() { return resolved }
        throw SettingsError(
            "credential_source of \(profile.description) is \(Excerpt.of(source.utf8)), but there are no credentials "
                + "(looked at \(place.whatIsLookedAt))")
    }
}
