internal import Glibc

/// The bucket of a client, and the way to reach it.
public struct S3Configuration: Sendable {
    /// The bucket's name, or an access point's ARN.
    public let bucket: String
    /// The bucket as a directory bucket; `nil` if its name is not that of one.
    let directoryBucket: DirectoryBucket?
    /// The region to try first. Responses of the bucket correct it.
    public var region: String
    /// `true` if the bucket cannot be in another region, so that no request is needed to determine it.
    public var isRegionCertain = false
    /// The custom endpoint; `nil` for AWS's own.
    public var endpoint: S3Endpoint?
    /// The position of the bucket's name in URLs.
    public var addressingStyle: AddressingStyle
    /// A file of PEM certificates to trust instead of the system's.
    public var caBundle: String?
    /// The proxies to use.
    public var proxies = ProxySettings.none
    /// `true` if the requester pays ("Requester Pays buckets" in the Amazon S3 User Guide).
    public var isRequesterPaying: Bool
    /// The variant of AWS's hosts; has no effect on a custom endpoint.
    public var endpointVariant = EndpointVariant()
    /// The account that must own the bucket; `nil` to accept any owner.
    public var expectedBucketOwner: String?
    /// The SSE-C key of the objects; `nil` for none.
    public var customerKey: CustomerKey?
    /// `true` if the bucket is expected to list keys in the order of their bytes.
    public var listsInOrder = true
    /// The maximum number of connections of all network threads together.
    public var connectionLimit: Int
    /// The maximum number of network threads; with few connections there are fewer.
    public var networkThreadCount: Int
    /// The `User-Agent` header.
    public var userAgent: String

    /// A text that identifies the bucket: AWS's buckets have unique names in all regions, those of other stores are
    /// unique at their endpoint.
    public var bucketIdentity: String {
        "\(endpoint?.description ?? "aws")/\(bucket)"
    }

    /// The identity under which listings are cached. Listings that depend on the order of keys are not used where no
    /// order is expected.
    public var listingIdentity: String {
        listsInOrder && directoryBucket == nil ? bucketIdentity : Self.unorderedMark + bucketIdentity
    }

    private static let unorderedMark = "unordered "

    /// Returns the parts of a `bucketIdentity` or `listingIdentity`: the endpoint's URL (`nil` for AWS) and the
    /// bucket's name.
    public static func parts(ofBucketIdentity identity: String) -> (endpoint: String?, bucket: String) {
        if identity.hasPrefix(unorderedMark) {
            return parts(ofBucketIdentity: String(identity.dropFirst(unorderedMark.count)))
        }
        // A bucket's name contains no "/", but the path of an endpoint may. An access point's ARN contains one.
        let end =
            identity.firstRange(of: "/\(AccessPoint.prefix)")?.lowerBound ?? identity.lastIndex(of: "/")
            ?? identity.startIndex
        let endpoint = identity[..<end]
        return (endpoint == "aws" ? nil : String(endpoint), String(identity[end...].dropFirst()))
    }

    /// Creates a configuration for `bucket`. All other parameters are optional.
    public init(
        bucket: String, region: String = "us-east-1", endpoint: S3Endpoint? = nil,
        addressingStyle: AddressingStyle = .auto, caBundle: String? = nil, isRequesterPaying: Bool = false,
        connectionLimit: Int = 64, networkThreadCount: Int = S3Configuration.defaultNetworkThreadCount,
        userAgent: String = "tractfs"
    ) {
        self.bucket = bucket
        directoryBucket = DirectoryBucket(name: bucket)
        self.region = region
        self.endpoint = endpoint
        self.addressingStyle = addressingStyle
        self.caBundle = caBundle
        self.isRequesterPaying = isRequesterPaying
        self.connectionLimit = connectionLimit
        self.networkThreadCount = networkThreadCount
        self.userAgent = userAgent
    }

    /// The number of network threads that suits this machine.
    public static var defaultNetworkThreadCount: Int {
        networkThreadCount(processorCount: sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    }

    /// Returns one thread for each processor, 2 to 8. Two even for one processor, so that responses are read while the
    /// receiver of another one is busy. A thread receives about 2 GB/s, or 1 GB/s with TLS, so that eight fill the 100
    /// Gbit/s of the fastest network cards; with more, each would have fewer connections and know less of the store's
    /// latency.
    static func networkThreadCount(processorCount: Int) -> Int {
        min(max(processorCount, 2), 8)
    }
}
