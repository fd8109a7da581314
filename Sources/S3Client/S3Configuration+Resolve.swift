/// What the command line says of the store, all of it optional.
public struct S3Options: Sendable {
    /// `--endpoint-url`.
    public var endpointURL: String?
    /// `--region`.
    public var region: String?
    /// `--addressing-style`.
    public var addressingStyle: AddressingStyle
    /// `--ca-bundle`.
    public var caBundle: String?
    /// `--request-payer`.
    public var isRequesterPaying: Bool

    /// Options; what is left out is decided by the environment and the profile.
    public init(
        endpointURL: String? = nil, region: String? = nil, addressingStyle: AddressingStyle = .auto,
        caBundle: String? = nil, isRequesterPaying: Bool = false
    ) {
        self.endpointURL = endpointURL
        self.region = region
        self.addressingStyle = addressingStyle
        self.caBundle = caBundle
        self.isRequesterPaying = isRequesterPaying
    }
}

extension S3Configuration {
    /// The configuration that the command line, the environment and the profile make together, in this order, which is
    /// the AWS CLI's. The region is us-east-1 where none of them names one.
    ///
    /// - Throws: What value can't be used, and where it came from.
    public static func resolve(
        bucket: String, options: S3Options, environment: [String: String], shared: SharedConfiguration
    ) throws(SettingsError) -> S3Configuration {
        var configuration = S3Configuration(
            bucket: bucket, addressingStyle: options.addressingStyle, isRequesterPaying: options.isRequesterPaying)
        let regions: [(source: String, value: String?)] = [
            ("--region", options.region), ("AWS_REGION", environment["AWS_REGION"]),
            ("AWS_DEFAULT_REGION", environment["AWS_DEFAULT_REGION"]),
            ("the profile's region", shared.setting("region")),
        ]
        if let (source, region) = firstSet(regions) {
            guard Region.isValid(region) else {
                throw SettingsError(
                    "\(source) is \(Excerpt.of(region.utf8)), which can't be a region's name; one is us-east-1")
            }
            configuration.region = region
        }
        let endpoints: [(source: String, value: String?)] = [
            ("--endpoint-url", options.endpointURL), ("AWS_ENDPOINT_URL_S3", environment["AWS_ENDPOINT_URL_S3"]),
            ("AWS_ENDPOINT_URL", environment["AWS_ENDPOINT_URL"]),
            ("the profile's endpoint_url", shared.setting("endpoint_url")),
        ]
        if let (source, url) = firstSet(endpoints) {
            do {
                configuration.endpoint = try S3Endpoint(parsing: url)
            } catch {
                throw SettingsError("\(source): \(error)")
            }
        }
        configuration.caBundle =
            options.caBundle.nonEmpty ?? environment["AWS_CA_BUNDLE"].nonEmpty ?? shared.setting("ca_bundle")
        return configuration
    }

    private static func firstSet(_ candidates: [(source: String, value: String?)]) -> (String, String)? {
        for (source, value) in candidates {
            if let value = value.nonEmpty { return (source, value) }
        }
        return nil
    }
}
