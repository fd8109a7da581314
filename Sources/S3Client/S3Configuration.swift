internal import Glibc

/// What a client must know of its bucket and how to reach it.
public struct S3Configuration: Sendable {
    /// The bucket's name, or an access point's ARN.
    public let bucket: String
    /// The bucket as a directory bucket; `nil` where it is none by its name.
    let directoryBucket: DirectoryBucket?
    /// The region to try first; the bucket's answers correct it.
    public var region: String
    /// Whether the bucket can't be in another region, so that nobody needs to ask.
    public var isRegionCertain = false
    /// The custom endpoint; `nil` for AWS's own.
    public var endpoint: S3Endpoint?
    /// How the bucket is put into URLs.
    public var addressingStyle: AddressingStyle
    /// A file of PEM certificates to trust instead of the system's.
    public var caBundle: String?
    /// The proxies on the way.
    public var proxies = ProxySettings.none
    /// Whether the requester pays ("Requester Pays buckets" in the Amazon S3 User Guide).
    public var isRequesterPaying: Bool
    /// Which of AWS's hosts to ask; of no concern where there is a custom endpoint.
    public var endpointVariant = EndpointVariant()
    /// The account that must own the bucket; `nil` for whichever does.
    public var expectedBucketOwner: String?
    /// What the objects are encrypted with, where the store is to be told it.
    public var customerKey: CustomerKey?
    /// `true` if the bucket is expected to list keys in the order of their bytes.
    public var listsInOrder = true
    /// How many connections at the most, all network threads together.
    public var connectionLimit: Int
    /// How many network threads; fewer where there are few connections for them.
    public var networkThreadCount: Int
    /// The `User-Agent` header.
    public var userAgent: String

    /// Which bucket of all this is, however it is reached: AWS's are unique whatever the region, others by their endpoint.
    public var bucketIdentity: String {
        "\(endpoint?.description ?? "aws")/\(bucket)"
    }

    /// The identity under which listings are kept: those that rest on the order of keys are not believed where none is expected.
    public var listingIdentity: String {
        listsInOrder && directoryBucket == nil ? bucketIdentity : Self.unorderedMark + bucketIdentity
    }

    private static let unorderedMark = "unordered "

    /// Returns the parts of a `bucketIdentity` or `listingIdentity`: the endpoint's URL, `nil` for AWS's own, and the bucket's name.
    public static func parts(ofBucketIdentity identity: String) -> (endpoint: String?, bucket: String) {
        if identity.hasPrefix(unorderedMark) {
            return parts(ofBucketIdentity: String(identity.dropFirst(unorderedMark.count)))
        }
        // A bucket's name has no "/", an endpoint's path may. An access point's ARN has one.
        let end =
            identity.firstRange(of: "/\(AccessPoint.prefix)")?.lowerBound ?? identity.lastIndex(of: "/")
            ?? identity.startIndex
        let endpoint = identity[..<end]
        return (endpoint == "aws" ? nil : String(endpoint), String(identity[end...].dropFirst()))
    }

    /// A configuration for `bucket`; all else may be left as it is.
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

    /// As many network threads as this machine can use.
    public static var defaultNetworkThreadCount: Int {
        networkThreadCount(processorCount: sysconf(CInt(_SC_NPROCESSORS_ONLN)))
    }

    /// One for each processor, 2 to 8. Two even where there is one: while the receiver of one answer is busy, the others'
    /// come in. A thread receives about 2 GB/s, or 1 GB/s through TLS, so that eight fill the 100 Gbit/s of the fastest
    /// network cards; more of them would only have fewer connections each, and know less of the store's latency.
    static func networkThreadCount(processorCount: Int) -> Int {
        min(max(processorCount, 2), 8)
    }
}
