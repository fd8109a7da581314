/// The variant of AWS's hosts of a service ("FIPS endpoints" and "Dual stack endpoints" in the AWS SDKs and Tools
/// Reference Guide).
public struct EndpointVariant: Hashable, Sendable {
    /// `true` for hosts with certified cryptography (FIPS 140).
    public var isFIPS: Bool
    /// `true` for hosts that support both IPv6 and IPv4.
    public var isDualStack: Bool

    /// Creates a variant, by default that of the plain hosts.
    public init(isFIPS: Bool = false, isDualStack: Bool = false) {
        self.isFIPS = isFIPS
        self.isDualStack = isDualStack
    }
}

extension S3Endpoint {
    /// The endpoint of S3 in a region ("Amazon S3 endpoints and quotas" in the AWS General Reference).
    init(awsRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(s3Host: variant.isFIPS ? "s3-fips" : "s3", region: region, variant: variant)
    }

    /// The endpoint of S3 for access points in a region. An access point is a prefix of the host name.
    init(accessPointsInRegion region: String, variant: EndpointVariant) {
        self.init(s3Host: variant.isFIPS ? "s3-accesspoint-fips" : "s3-accesspoint", region: region, variant: variant)
    }

    /// The endpoint of S3 for the directory buckets of a zone ("Regional and Zonal endpoints for directory buckets" in
    /// the Amazon S3 User Guide). A bucket is always a prefix of the host name.
    init(directoryBucketsInZone zone: String, region: String, variant: EndpointVariant) {
        self.init(s3Host: "s3express\(variant.isFIPS ? "-fips" : "")-\(zone)", region: region, variant: variant)
    }

    private init(s3Host: String, region: String, variant: EndpointVariant) {
        // S3 had dual-stack hosts before the other services, with different names.
        let dualStack = variant.isDualStack ? ".dualstack" : ""
        self.init(scheme: .https, host: "\(s3Host)\(dualStack).\(region).\(Partition(region: region).domain)")
    }

    /// The endpoint of the Security Token Service in a region ("AWS STS Regions and endpoints" in the IAM User Guide).
    init(securityTokenServiceInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        let partition = Partition(region: region)
        // GovCloud's plain hosts are FIPS hosts.
        let isPlainFIPS = partition == .govCloud && !variant.isDualStack
        self.init(service: variant.isFIPS && !isPlainFIPS ? "sts-fips" : "sts", region: region, variant: variant)
    }

    /// The endpoint of the AWS access portal, which exchanges a token of single sign-on for credentials.
    init(accessPortalInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(service: variant.isFIPS ? "portal.sso-fips" : "portal.sso", region: region, variant: variant)
    }

    /// The endpoint of the service that renews such tokens.
    init(tokenServiceInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(service: variant.isFIPS ? "oidc-fips" : "oidc", region: region, variant: variant)
    }

    private init(service: String, region: String, variant: EndpointVariant) {
        let partition = Partition(region: region)
        let domain = variant.isDualStack ? partition.dualStackDomain : partition.domain
        self.init(scheme: .https, host: "\(service).\(region).\(domain)")
    }

    /// The endpoint of the Security Token Service for all regions of the partition "aws". It is in us-east-1.
    static let globalSecurityTokenService = S3Endpoint(scheme: .https, host: "sts.amazonaws.com")
}
