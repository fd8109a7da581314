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
        // At AWS the environment and the profile only say where one usually is.
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

    /// The region of a directory bucket's zone. Another store's regions are its own affair.
    private var regionOfZone: String? { isDirectoryBucket ? directoryBucket?.region : nil }

    /// The region where nothing names one; `nil` where there must be one: it is part of a directory bucket's host name.
    private var regionUnlessNamed: String? {
        isDirectoryBucket ? nil : directoryBucket?.region ?? Region.standard
    }

    /// True for a directory bucket at AWS.
    public var isDirectoryBucket: Bool { directoryBucket != nil && endpoint == nil }

    /// Directory buckets have fewer ways to be read ("Differences for directory buckets" in the Amazon S3 User Guide). What
    /// another store has is its own affair.
    private func checkDirectoryBucket() throws(SettingsError) {
        guard isDirectoryBucket else { return }
        if isRequesterPaying {
            throw SettingsError(
                "\(bucket) is a directory bucket, which has no requester that pays; leave out --request-payer")
        }
        if customerKey != nil {
            throw SettingsError(
                "\(bucket) is a directory bucket, whose objects have no keys of their own (SSE-C); leave out --sse-c-key-file"
            )
        }
    }

    /// At AWS a bucket's name keeps AWS's rules; elsewhere it is the store's business, as long as it is not part of a host's name.
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
