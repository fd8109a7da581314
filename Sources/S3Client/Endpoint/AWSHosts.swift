/// Which of AWS's hosts of a service to ask ("FIPS endpoints" and "Dual stack endpoints" in the AWS SDKs and Tools Reference
/// Guide).
public struct EndpointVariant: Hashable, Sendable {
    /// Hosts whose cryptography is certified (FIPS 140).
    public var isFIPS: Bool
    /// Hosts that answer over IPv6 as well as IPv4.
    public var isDualStack: Bool

    /// The plain hosts, unless told otherwise.
    public init(isFIPS: Bool = false, isDualStack: Bool = false) {
        self.isFIPS = isFIPS
        self.isDualStack = isDualStack
    }
}

extension S3Endpoint {
    /// AWS's S3 in a region ("Amazon S3 endpoints and quotas" in the AWS General Reference).
    init(awsRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(s3Host: variant.isFIPS ? "s3-fips" : "s3", region: region, variant: variant)
    }

    /// AWS's S3 for access points in a region. Their names stand in front of the host.
    init(accessPointsInRegion region: String, variant: EndpointVariant) {
        self.init(s3Host: variant.isFIPS ? "s3-accesspoint-fips" : "s3-accesspoint", region: region, variant: variant)
    }

    /// AWS's S3 for the directory buckets of a zone ("Regional and Zonal endpoints for directory buckets" in the Amazon S3 User
    /// Guide). Their names stand in front of the host, always.
    init(directoryBucketsInZone zone: String, region: String, variant: EndpointVariant) {
        self.init(s3Host: "s3express\(variant.isFIPS ? "-fips" : "")-\(zone)", region: region, variant: variant)
    }

    private init(s3Host: String, region: String, variant: EndpointVariant) {
        // S3 had dual-stack hosts before the other services, by names of their own.
        let dualStack = variant.isDualStack ? ".dualstack" : ""
        self.init(scheme: .https, host: "\(s3Host)\(dualStack).\(region).\(Partition(region: region).domain)")
    }

    /// AWS's Security Token Service in a region ("AWS STS Regions and endpoints" in the IAM User Guide).
    init(securityTokenServiceInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        let partition = Partition(region: region)
        // GovCloud's plain hosts are FIPS hosts.
        let isPlainFIPS = partition == .govCloud && !variant.isDualStack
        self.init(service: variant.isFIPS && !isPlainFIPS ? "sts-fips" : "sts", region: region, variant: variant)
    }

    /// AWS's access portal, which turns a token of single sign-on into credentials.
    init(accessPortalInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(service: variant.isFIPS ? "portal.sso-fips" : "portal.sso", region: region, variant: variant)
    }

    /// AWS's service that renews such tokens.
    init(tokenServiceInRegion region: String, variant: EndpointVariant = EndpointVariant()) {
        self.init(service: variant.isFIPS ? "oidc-fips" : "oidc", region: region, variant: variant)
    }

    private init(service: String, region: String, variant: EndpointVariant) {
        let partition = Partition(region: region)
        let domain = variant.isDualStack ? partition.dualStackDomain : partition.domain
        self.init(scheme: .https, host: "\(service).\(region).\(domain)")
    }

    /// The Security Token Service for all regions of the partition "aws"; answers from us-east-1.
    static let globalSecurityTokenService = S3Endpoint(scheme: .https, host: "sts.amazonaws.com")
}
