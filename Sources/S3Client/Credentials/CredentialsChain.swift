/// The sources in the order in which botocore, and so the AWS CLI, asks them: the first that has credentials answers.
///
/// Source: `create_credential_resolver` in botocore's credentials.py; "Standardized credential providers" in the AWS SDKs
/// and Tools Reference Guide.
public struct CredentialsChain: Sendable {
    private let environment: [String: String]
    private let profile: String?
    private let caBundle: String?

    /// A chain; nothing is looked at yet.
    ///
    /// - Parameters:
    ///   - environment: Variables with keys, or that say where to look.
    ///   - profile: The profile that the command line names, which goes before keys in the environment; `nil` for none.
    ///   - caBundle: Certificates to trust; `nil` for what environment and profile say.
    public init(environment: [String: String], profile: String?, caBundle: String? = nil) {
        self.environment = environment
        self.profile = profile
        self.caBundle = caBundle
    }

    /// Asks the sources, reading all files anew. May take seconds.
    ///
    /// - Throws: What a source threw, or, where none has credentials, what was looked at.
    public func resolve() throws(SettingsError) -> ResolvedCredentials {
        let sources = try sources()
        var absence: SettingsError?
        for source in sources {
            do throws(SettingsError) {
                if let resolved = try source.credentials() { return resolved }
            } catch {
                guard error.isAbsence else { throw error }
                absence = error
            }
        }
        let places = sources.map(\.whatIsLookedAt).joined(separator: ", ")
        throw SettingsError(
            "no AWS credentials found (looked at \(places)\(absence.map { "; \($0)" } ?? "")); "
                + "set them, name a profile with --profile, or give --no-sign-request for a public bucket",
            mayPass: absence?.mayPass ?? false)
    }

    private func sources() throws(SettingsError) -> [any CredentialsSource] {
        let shared = try SharedConfiguration(profile: profile, environment: environment)
        let context = CredentialsContext(environment: environment, profile: shared.profile, caBundle: caBundle)
        let allowsVariables = !shared.isProfileExplicit
        var sources: [any CredentialsSource] = allowsVariables ? [EnvironmentCredentials(environment)] : []
        sources.append(RoleCredentials(shared.profile, context))
        sources += ProfileCredentials.sources(of: shared.profile, context, allowingVariables: allowsVariables)
        sources.append(ContainerCredentials(environment: environment))
        sources.append(InstanceCredentials(context))
        return sources
    }
}

/// What sources need beyond their own settings.
struct CredentialsContext: Sendable {
    let environment: [String: String]
    /// The settings of services are this profile's, also where another one's credentials are looked for.
    let profile: Profile
    private let caBundle: String?

    init(environment: [String: String], profile: Profile, caBundle: String?) {
        self.environment = environment
        self.profile = profile
        self.caBundle = caBundle
    }

    /// Regions, endpoints.
    var services: ServiceSettings { ServiceSettings(environment: environment, profile: profile) }

    /// A connection to a service on the network.
    var connection: ServiceConnection {
        // `S3Configuration.resolve` has read the same environment, and told what is wrong in it.
        ServiceConnection(
            proxies: (try? ProxySettings(environment: environment)) ?? .none, caBundle: caBundle ?? services.caBundle)
    }
}
