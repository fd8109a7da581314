/// The sources of credentials, in the order in which botocore and so the AWS CLI try them. The first source that has
/// credentials wins.
///
/// 1. Environment variables, unless the command line names a profile.
/// 2. The profile: an assumed role, and then `profileSources`.
/// 3. The container (ECS, EKS Pod Identity).
/// 4. The EC2 instance.
///
/// Source: `create_credential_resolver` in botocore's credentials.py; "Standardized credential providers" in the AWS
/// SDKs and Tools Reference Guide.
public struct CredentialsChain: Sendable {
    private let environment: [String: String]
    private let profile: String?
    private let caBundle: String?

    /// Creates a chain. It reads nothing before `resolve` is called.
    ///
    /// - Parameters:
    ///   - environment: The environment variables.
    ///   - profile: The profile that the command line names, which takes precedence over keys in the environment; `nil`
    ///     for none.
    ///   - caBundle: A file of certificates to trust; `nil` for the one that the environment or the profile names.
    public init(environment: [String: String], profile: String?, caBundle: String? = nil) {
        self.environment = environment
        self.profile = profile
        self.caBundle = caBundle
    }

    /// Tries the sources in order, and reads all files again. May take seconds.
    ///
    /// - Throws: The error of the first source that fails; if no source has credentials, an error that names all of
    ///   them.
    public func resolve() throws(SettingsError) -> ResolvedCredentials {
        let sources = try sources()
        var absence: SettingsError?
        for source in sources {
            do throws(SettingsError) {
                if let resolved = try source.credentials() { return resolved }
            } catch {
                guard error.hasNoCredentials else { throw error }
                absence = error
            }
        }
        let locations = sources.map(\.searchedLocation).joined(separator: ", ")
        throw SettingsError(
            "no AWS credentials found (looked at \(locations)\(absence.map { "; \($0)" } ?? "")); "
                + "set them, name a profile with --profile, or give --no-sign-request for a public bucket",
            isTransient: absence?.isTransient ?? false)
    }

    private func sources() throws(SettingsError) -> [any CredentialsSource] {
        let shared = try SharedConfiguration(profile: profile, environment: environment)
        let context = CredentialsContext(environment: environment, profile: shared.profile, caBundle: caBundle)
        let allowsVariables = !shared.isProfileExplicit
        var sources: [any CredentialsSource] = allowsVariables ? [EnvironmentCredentials(environment)] : []
        sources.append(RoleCredentials(shared.profile, context))
        sources += Self.profileSources(shared.profile, context, allowingVariables: allowsVariables)
        sources.append(ContainerCredentials(environment: environment))
        sources.append(InstanceCredentials(context))
        return sources
    }

    /// Returns the sources within one profile, other than a role that it assumes, in botocore's order.
    ///
    /// - Parameter allowsVariables: `true` to also use the web identity that environment variables name.
    static func profileSources(
        _ profile: Profile, _ context: CredentialsContext, allowingVariables allowsVariables: Bool
    ) -> [any CredentialsSource] {
        [
            WebIdentityCredentials(profile, context, allowsVariables: allowsVariables),
            SingleSignOnCredentials(profile, context),
            SharedFileCredentials(profile, settings: profile.credentials, path: profile.files.credentialsPath),
            LoginCredentials(profile: profile), ProcessCredentials(profile, context),
            SharedFileCredentials(profile, settings: profile.config, path: profile.files.configPath),
        ]
    }
}

/// The inputs that sources share.
struct CredentialsContext: Sendable {
    let environment: [String: String]
    /// The profile whose settings of services apply, even where the credentials of another profile are used.
    let profile: Profile
    private let caBundle: String?

    init(environment: [String: String], profile: Profile, caBundle: String?) {
        self.environment = environment
        self.profile = profile
        self.caBundle = caBundle
    }

    /// The regions and endpoints of AWS's services.
    var services: ServiceSettings { ServiceSettings(environment: environment, profile: profile) }

    /// A connection to a service on the network.
    var connection: ServiceConnection {
        // `S3Configuration.resolve` has read the same environment, and reported its errors.
        ServiceConnection(
            proxies: (try? ProxySettings(environment: environment)) ?? .none, caBundle: caBundle ?? services.caBundle)
    }
}
