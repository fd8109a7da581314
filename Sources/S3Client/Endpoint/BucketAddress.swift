import ObjectStore

/// The position of a bucket's name in URLs; the AWS CLI's `addressing_style`.
public enum AddressingStyle: String, CaseIterable, Sendable {
    /// In the host name for AWS. In the path for a custom endpoint, and for names with dots, which no TLS wildcard
    /// certificate covers.
    case auto
    /// `https://s3.REGION.amazonaws.com/BUCKET/KEY`.
    case path
    /// `https://BUCKET.s3.REGION.amazonaws.com/KEY`.
    case virtual
}

/// The address of a bucket.
struct BucketAddress: Hashable, Sendable {
    private let scheme: S3Endpoint.Scheme
    /// The `Host` header.
    let host: String
    /// The part of the path before "/KEY", percent-encoded.
    private let basePath: String

    /// Creates the address of a bucket or an access point.
    ///
    /// - Parameters:
    ///   - bucket: A bucket's name or an access point's ARN.
    ///   - endpoint: The custom endpoint, or `nil` for AWS's in `region`.
    ///   - variant: The variant of AWS's hosts; has no effect on a custom endpoint.
    init(
        bucket: String, region: String, endpoint: S3Endpoint?, style: AddressingStyle,
        variant: EndpointVariant = EndpointVariant()
    ) {
        if bucket.hasPrefix(AccessPoint.prefix), let accessPoint = try? AccessPoint(parsing: bucket) {
            // An access point has one region and no other form of address.
            let base = endpoint ?? S3Endpoint(accessPointsInRegion: accessPoint.region, variant: variant)
            self.init(base: base, hostLabel: accessPoint.hostLabel)
            return
        }
        if endpoint == nil, let directory = DirectoryBucket(name: bucket) {
            let base = S3Endpoint(directoryBucketsInZone: directory.zone, region: region, variant: variant)
            self.init(base: base, hostLabel: bucket)
            return
        }
        let base = endpoint ?? S3Endpoint(awsRegion: region, variant: variant)
        let isVirtual =
            switch style {
            case .auto: endpoint == nil && !bucket.contains(".")
            case .path: false
            case .virtual: true
            }
        if isVirtual {
            self.init(base: base, hostLabel: bucket)
        } else {
            self.init(
                scheme: base.scheme, host: base.authority,
                basePath: "\(base.path)/\(PercentEncoding.encode(bucket.utf8, as: .path))")
        }
    }

    private init(base: S3Endpoint, hostLabel: String) {
        self.init(scheme: base.scheme, host: "\(hostLabel).\(base.authority)", basePath: base.path)
    }

    private init(scheme: S3Endpoint.Scheme, host: String, basePath: String) {
        self.scheme = scheme
        self.host = host
        self.basePath = basePath
    }

    /// Returns the path of an object; that of the bucket for the empty key.
    func path(of key: Key) -> String {
        // A listing in path style has the path "/BUCKET", as in botocore. With a slash at the end, some servers see an
        // empty key.
        if key.bytes.isEmpty && !basePath.isEmpty { return basePath }
        return "\(basePath)/\(PercentEncoding.encode(key.bytes, as: .path))"
    }

    /// Returns the URL of a request.
    func url(of request: HTTPRequest) -> String {
        let query = request.canonicalQuery
        return "\(scheme.rawValue)://\(host)\(request.path)\(query.isEmpty ? "" : "?")\(query)"
    }

    /// The server, for messages.
    var server: String { "\(scheme.rawValue)://\(host)" }

    /// The server, without the bucket's path.
    var endpoint: S3Endpoint {
        // The colons of an IPv6 address are not followed by a port.
        guard let colon = host.lastIndex(of: ":"), let port = Int(host[host.index(after: colon)...]) else {
            return S3Endpoint(scheme: scheme, host: host)
        }
        return S3Endpoint(scheme: scheme, host: String(host[..<colon]), port: port)
    }
}
