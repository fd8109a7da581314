/// A service of AWS that tractfs sends requests to.
enum AWSService: String {
    case s3
    case sts
    case sso
    case ssoOIDC = "sso_oidc"

    /// The variable that sets the endpoint of this service only.
    var endpointVariable: String { "AWS_ENDPOINT_URL_\(rawValue.uppercased())" }
}

/// The settings of AWS's services in the environment and the profile: regions, endpoints, certificates.
struct ServiceSettings {
    let environment: [String: String]
    let profile: Profile

    /// Returns the region in the environment or the profile; `nil` if neither has one.
    ///
    /// - Parameter isHostPart: `true` if the region becomes part of an AWS host name.
    func region(isHostPart: Bool = true) throws(SettingsError) -> String? {
        let candidates = [
            ("AWS_REGION", environment["AWS_REGION"]), ("AWS_DEFAULT_REGION", environment["AWS_DEFAULT_REGION"]),
            ("the region of \(profile.description)", profile.setting("region")),
        ]
        return try Self.checkedRegion(candidates, isHostPart: isHostPart)
    }

    /// Returns the first region that is set.
    ///
    /// - Parameters:
    ///   - candidates: The values and their origins.
    ///   - isHostPart: `true` if the region becomes part of an AWS host name. Other endpoints accept any name.
    static func checkedRegion(
        _ candidates: [(source: String, value: String?)], isHostPart: Bool
    ) throws(SettingsError) -> String? {
        guard let (source, region) = firstSet(candidates) else { return nil }
        guard isHostPart ? Region.isValid(region) : Region.isSignable(region) else {
            throw SettingsError(
                "\(source) is \(Excerpt.of(region.utf8)), which is not a region name, such as us-east-1")
        }
        return region
    }

    /// Returns the custom endpoint of a service, in the order of "Service-specific endpoints" in the AWS SDKs and Tools
    /// Reference Guide; `nil` for none.
    ///
    /// - Parameter option: The option of the command line and its value.
    func endpoint(
        of service: AWSService, option: (source: String, value: String?)? = nil
    ) throws(SettingsError) -> S3Endpoint? {
        var candidates: [(source: String, value: String?)] = option.map { [$0] } ?? []
        candidates += [
            (service.endpointVariable, environment[service.endpointVariable]),
            ("AWS_ENDPOINT_URL", environment["AWS_ENDPOINT_URL"]),
        ]
        let services = try services()
        candidates += [
            (
                "endpoint_url of \(service.rawValue) in [services \(services.name)]",
                services.settings["\(service.rawValue).endpoint_url"]
            ),
            ("the endpoint_url of \(profile.description)", profile.setting("endpoint_url")),
        ]
        if try areConfiguredEndpointsIgnored() { candidates.removeAll { $0.source != option?.source } }
        guard let (source, url) = Self.firstSet(candidates) else { return nil }
        do {
            return try S3Endpoint(parsing: url)
        } catch {
            throw SettingsError("\(source): \(error)")
        }
    }

    private func services() throws(SettingsError) -> (name: String, settings: [String: String]) {
        guard let name = profile.setting("services") else { return ("", [:]) }
        guard let settings = profile.files.services[name] else {
            throw SettingsError(
                "\(profile.description) has services = \(Excerpt.of(name.utf8)), but there is no such [services] section "
                    + "in \(profile.files.configPath)")
        }
        return (name, settings)
    }

    private func areConfiguredEndpointsIgnored() throws(SettingsError) -> Bool {
        try flag("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls")
    }

    /// Returns the variant of AWS's hosts.
    func variant() throws(SettingsError) -> EndpointVariant {
        EndpointVariant(
            isFIPS: try flag("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint"),
            isDualStack: try flag("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint"))
    }

    /// Returns the value of a flag: that of the variable, or that of the profile's setting.
    private func flag(_ variable: String, _ setting: String) throws(SettingsError) -> Bool {
        let candidates = [
            (variable, environment[variable]), ("\(setting) of \(profile.description)", profile.setting(setting)),
        ]
        guard let (source, value) = Self.firstSet(candidates) else { return false }
        switch value.lowercased() {
        case "true": return true
        case "false": return false
        default: throw SettingsError("\(source) is \(Excerpt.of(value.utf8)); give true or false")
        }
    }

    /// The file of certificates to trust.
    var caBundle: String? { environment["AWS_CA_BUNDLE"].nonEmpty ?? profile.setting("ca_bundle") }

    private static func firstSet(_ candidates: [(source: String, value: String?)]) -> (String, String)? {
        for (source, value) in candidates {
            if let value = value.nonEmpty { return (source, value) }
        }
        return nil
    }
}

// MARK: - The Security Token Service

extension ServiceSettings {
    /// Returns the endpoint of the Security Token Service, and the region that its requests are signed for.
    func securityTokenService() throws(SettingsError) -> (endpoint: S3Endpoint, region: String) {
        let endpoint = try endpoint(of: .sts)
        let region = try region(isHostPart: endpoint == nil)
        if let endpoint { return (endpoint, region ?? Region.standard) }
        guard let region, try isRegional(region) else {
            return (.globalSecurityTokenService, Region.standard)
        }
        return (S3Endpoint(securityTokenServiceInRegion: region, variant: try variant()), region)
    }

    /// Regions that used to have no service of their own, for which the global one can be configured ("AWS STS Regional
    /// endpoints" in the AWS SDKs and Tools Reference Guide).
    private static let legacyRegions: Set = [
        "ap-northeast-1", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "aws-global", "ca-central-1",
        "eu-central-1",
        "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1",
        "us-west-2",
    ]

    private func isRegional(_ region: String) throws(SettingsError) -> Bool {
        let candidates = [
            ("AWS_STS_REGIONAL_ENDPOINTS", environment["AWS_STS_REGIONAL_ENDPOINTS"]),
            ("sts_regional_endpoints of \(profile.description)", profile.setting("sts_regional_endpoints")),
        ]
        guard let (source, value) = Self.firstSet(candidates) else { return region != "aws-global" }
        switch value.lowercased() {
        case "regional": return region != "aws-global"
        // The global service has only one host, without variants.
        case "legacy": return try variant() != EndpointVariant() ? true : !Self.legacyRegions.contains(region)
        default: throw SettingsError("\(source) is \(Excerpt.of(value.utf8)); give regional or legacy")
        }
    }
}
