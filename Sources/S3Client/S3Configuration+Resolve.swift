/// The options of the command line for the store, all of them optional.
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

    /// Creates options. The environment and the profile set those that are left out.
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
    /// Returns the configuration that the command line, the environment and the profile define. They take precedence in
    /// this order, as in the AWS CLI. The region defaults to us-east-1.
    ///
    /// - Throws: An error that names an invalid value and its origin.
    public static func resolve(
        bucket: String, options: S3Options, environment: [String: String], shared: SharedConfiguration
    ) throws(SettingsError) -> S3Configuration {
        var configuration = S3Configuration(
            bucket: bucket, addressingStyle: try addressingStyle(options, shared),
            isRequesterPaying: options.isRequesterPaying)
        configuration.listsInOrder = !options.hasUnorderedListings
        let services = ServiceSettings(environment: environment, profile: shared.profile)
        configuration.endpoint = try services.endpoint(of: .s3, option: ("--endpoint-url", options.endpointURL))
        let isAWS = configuration.endpoint == nil
        let regionOption = try ServiceSettings.checkedRegion([("--region", options.region)], isHostPart: isAWS)
        let named = try region(ofBucket: bucket) ?? regionOption
        let certain = named ?? configuration.regionOfZone
        let usual = try services.region(isHostPart: isAWS)
        guard let chosen = certain ?? usual ?? configuration.regionUnlessNamed else {
            throw SettingsError(
                "the name of the directory bucket \(bucket) doesn't tell its region: give it with --region, as in --region us-east-1"
            )
        }
        configuration.region = chosen
        try configuration.checkBucket()
        try configuration.checkHost()
        // For AWS, the environment and the profile name the usual region, and not necessarily that of the bucket.
        configuration.isRegionCertain = certain != nil || (configuration.endpoint != nil && usual != nil)
        configuration.endpointVariant = try services.variant()
        try configuration.checkVariant()
        configuration.caBundle = options.caBundle.nonEmpty ?? services.caBundle
        configuration.proxies = try ProxySettings(environment: environment)
        configuration.expectedBucketOwner = try account(options.expectedBucketOwner)
        if let file = options.customerKeyFile {
            try configuration.checkIsPrivate()
            configuration.customerKey = try CustomerKey(file: file)
        }
        try configuration.checkDirectoryBucket()
        return configuration
    }

    /// Returns the addressing style of the command line, or that of the profile under `s3 =`, as `aws configure set
    /// s3.addressing_style` writes it.
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

    /// The region of a directory bucket's zone; `nil` for other stores, whose regions may differ.
    private var regionOfZone: String? { isDirectoryBucket ? directoryBucket?.region : nil }

    /// The default region; `nil` if there is none, because the region is part of a directory bucket's host name.
    private var regionUnlessNamed: String? {
        isDirectoryBucket ? nil : directoryBucket?.region ?? Region.standard
    }

    /// `true` for a directory bucket at AWS.
    public var isDirectoryBucket: Bool { directoryBucket != nil && endpoint == nil }

    /// Checks the options that AWS's directory buckets do not support ("Differences for directory buckets" in the
    /// Amazon S3 User Guide). Other stores may support them.
    private func checkDirectoryBucket() throws(SettingsError) {
        guard isDirectoryBucket else { return }
        if isRequesterPaying {
            throw SettingsError(
                "\(bucket) is a directory bucket, which does not support Requester Pays; leave out --request-payer")
        }
        if customerKey != nil {
            throw SettingsError(
                "\(bucket) is a directory bucket, which does not support SSE-C; leave out --sse-c-key-file"
            )
        }
    }

    /// Checks the name of the bucket. For AWS it must follow AWS's rules; for other stores it must only be valid where
    /// it becomes part of a host name.
    private func checkBucket() throws(SettingsError) {
        if bucket.hasPrefix(AccessPoint.prefix) { return }
        if endpoint == nil, let problem = S3URI.awsProblem(withBucket: bucket) {
            throw SettingsError(
                "\(Excerpt.of(bucket.utf8)) can't be a bucket's name: \(problem) (for a store that isn't AWS's, give its address "
                    + "with --endpoint-url)")
        }
        if addressingStyle == .virtual, !S3URI.isHostLabel(bucket) {
            throw SettingsError(
                "\(Excerpt.of(bucket.utf8)) can't stand in front of a host's name; give --addressing-style path")
        }
    }

    /// Checks that the bucket's name is not put in front of an IPv6 address.
    private func checkHost() throws(SettingsError) {
        guard let endpoint, endpoint.authority.hasPrefix("["),
            addressingStyle == .virtual || bucket.hasPrefix(AccessPoint.prefix)
        else { return }
        throw SettingsError(
            "the bucket's name can't stand in front of the address \(endpoint.authority); give --addressing-style path, or "
                + "an endpoint with a host's name")
    }

    /// Returns the region in an access point's ARN, which takes precedence over all settings.
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

    /// Refuses to send the key over a plain connection. S3 would refuse it too, but only after others could have read
    /// it.
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
