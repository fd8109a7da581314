/// What the command line says of the store, all of it optional.
public struct S3Options: Sendable {
    /// `--endpoint-url`.
    public var endpointURL: String?
    /// `--region`.
    public var region: String?
    /// `--addressing-style`.
    public var addressingStyle: AddressingStyle?
    /// `--ca-bundle`.
    public var caBundle: String?
    /// `--request-payer`.
    public var isRequesterPaying: Bool
    /// `--unordered-listings`.
    public var hasUnorderedListings: Bool
    /// `--expected-bucket-owner`.
    public var expectedBucketOwner: String?
    /// `--sse-c-key-file`.
    public var customerKeyFile: String?

    /// Options; what is left out is decided by the environment and the profile.
    public init(
        endpointURL: String? = nil, region: String? = nil, addressingStyle: AddressingStyle? = nil,
        caBundle: String? = nil, isRequesterPaying: Bool = false, hasUnorderedListings: Bool = false,
        expectedBucketOwner: String? = nil, customerKeyFile: String? = nil
    ) {
        self.endpointURL = endpointURL
        self.region = region
        self.addressingStyle = addressingStyle
        self.caBundle = caBundle
        self.isRequesterPaying = isRequesterPaying
        self.hasUnorderedListings = hasUnorderedListings
        self.expectedBucketOwner = expectedBucketOwner
        self.customerKeyFile = customerKeyFile
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
            bucket: bucket, addressingStyle: try addressingStyle(options, shared),
            isRequesterPaying: options.isRequesterPaying)
        configuration.listsInOrder = !options.hasUnorderedListings
        let services = ServiceSettings(environment: environment, profile: shared.profile)
        let regions = try [
            region(ofBucket: bucket), ServiceSettings.checkedRegion([("--region", options.region)]), services.region(),
        ]
        configuration.region = regions.lazy.compactMap { $0 }.first ?? Region.standard
        configuration.endpoint = try services.endpoint(of: .s3, option: ("--endpoint-url", options.endpointURL))
        try configuration.checkHost()
        // At AWS the environment and the profile only say where one usually is.
        configuration.isRegionCertain =
            regions[0] != nil || regions[1] != nil || (configuration.endpoint != nil && regions[2] != nil)
        configuration.endpointVariant = try services.variant()
        try configuration.checkVariant()
        configuration.caBundle = options.caBundle.nonEmpty ?? services.caBundle
        configuration.expectedBucketOwner = try account(options.expectedBucketOwner)
        if let file = options.customerKeyFile {
            try configuration.checkIsPrivate()
            configuration.customerKey = try CustomerKey(file: file)
        }
        return configuration
    }

    /// What the command line says, or the profile under `s3 =`, as `aws configure set s3.addressing_style` writes it.
    private static func addressingStyle(
        _ options: S3Options, _ shared: SharedConfiguration
    ) throws(SettingsError) -> AddressingStyle {
        if let style = options.addressingStyle { return style }
        guard let text = shared.setting("s3.addressing_style") else { return .auto }
        guard let style = AddressingStyle(rawValue: text) else {
            throw SettingsError(
                "\(shared.profile.description) has addressing_style \(Excerpt.of(text.utf8)), which is none of "
                    + AddressingStyle.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return style
    }

    /// A name can be put in front of a host's name, but not of an IPv6 address.
    private func checkHost() throws(SettingsError) {
        guard let endpoint, endpoint.authority.hasPrefix("["),
            addressingStyle == .virtual || bucket.hasPrefix(AccessPoint.prefix)
        else { return }
        throw SettingsError(
            "the bucket's name can't stand in front of the address \(endpoint.authority); give --addressing-style path, or "
                + "an endpoint with a host's name")
    }

    /// An access point's ARN says where it is, whatever else does.
    private static func region(ofBucket bucket: String) throws(SettingsError) -> String? {
        guard bucket.hasPrefix(AccessPoint.prefix) else { return nil }
        return try AccessPoint(parsing: bucket).region
    }

    private func checkVariant() throws(SettingsError) {
        guard endpointVariant != EndpointVariant() else { return }
        let what = endpointVariant.isFIPS ? "AWS_USE_FIPS_ENDPOINT" : "AWS_USE_DUALSTACK_ENDPOINT"
        if let endpoint {
            throw SettingsError(
                "\(what) (or the profile) asks for a host of AWS's, but the endpoint is \(endpoint); unset one of the two"
            )
        }
        if endpointVariant.isFIPS, Partition(region: region) == .china {
            throw SettingsError(
                "there are no FIPS hosts in \(region); unset AWS_USE_FIPS_ENDPOINT (or use_fips_endpoint)")
        }
    }

    /// S3 refuses keys that come over a plain connection, but by then they have been seen.
    private func checkIsPrivate() throws(SettingsError) {
        guard let endpoint, endpoint.scheme == .http, !endpoint.isLoopback else { return }
        throw SettingsError("--sse-c-key-file: the key goes over https only, and the endpoint is \(endpoint)")
    }

    private static func account(_ text: String?) throws(SettingsError) -> String? {
        guard let text else { return nil }
        guard text.utf8.count == 12, text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
        else {
            throw SettingsError(
                "--expected-bucket-owner is \(Excerpt.of(text.utf8)), but an account is a number of twelve digits")
        }
        return text
    }
}
