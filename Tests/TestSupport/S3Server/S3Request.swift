import NIOHTTP1
public import ObjectStore

/// A request as the test server understood it.
public struct S3Request: Sendable {
    /// The kind of a request, by which requests are counted.
    public enum Kind: Hashable, Sendable {
        /// ListObjectsV2, or ListObjects.
        case list
        /// GetObject.
        case get
        /// HeadObject or HeadBucket.
        case head
        /// CreateSession, for directory buckets.
        case session
        /// Whatever else: tractfs has no use for it.
        case other
    }

    /// The kind.
    public let kind: Kind
    /// The HTTP method.
    public let method: String
    /// The bucket, by the host's first label or the path's first component; empty where there is none.
    public let bucket: String
    /// The object's key, of a listing its prefix.
    public let key: Key
    /// Path and query as they were sent.
    public let target: String
    /// The query's names and decoded values.
    public let query: [String: [UInt8]]
    /// The headers, names in lower case.
    public let headers: [String: String]

    /// The value of `name` in the query as text.
    func queryText(_ name: String) -> String? {
        query[name].map { String(decoding: $0, as: UTF8.self) }
    }

    /// The offsets that a `Range: bytes=FIRST-LAST` header asks for; `nil` where there is no such header.
    public var range: Range<Int>? {
        let ends = headers["range"]?.trimmingPrefix("bytes=").split(separator: "-").compactMap { Int($0) }
        guard let ends, ends.count == 2, ends[0] <= ends[1] else { return nil }
        return ends[0]..<ends[1] + 1
    }

    /// The parameters of a listing; `nil` for other requests, and if `max-keys` is no number above zero.
    public var listing: ListRequest? {
        guard kind == .list, let limit = Int(queryText("max-keys") ?? "1000"), limit > 0 else { return nil }
        return ListRequest(
            prefix: key, isDelimited: query["delimiter"].map { !$0.isEmpty } ?? false,
            startAfter: (query["start-after"] ?? query["marker"]).map(Key.init),
            continuation: queryText("continuation-token").map(ContinuationToken.init), limit: limit)
    }

    /// The parts of the credential scope that the request is signed with, in the Authorization header or the query:
    /// access key id, date, region, "s3", "aws4_request". Empty where the request is not signed.
    private var credentialScope: [Substring] {
        let credential =
            headers["authorization"]?.firstRange(of: "Credential=").flatMap { range in
                headers["authorization"]?[range.upperBound...].prefix { $0 != "," }
            } ?? queryText("X-Amz-Credential")?[...]
        return credential?.split(separator: "/", omittingEmptySubsequences: false) ?? []
    }

    /// The access key id that the request is signed with.
    public var accessKeyID: String? { credentialScope.first.map(String.init) }

    /// The service that the request is signed for.
    public var signedService: String? { credentialScope.count > 3 ? String(credentialScope[3]) : nil }

    /// The region that the request is signed for.
    public var signedRegion: String? { credentialScope.count > 2 ? String(credentialScope[2]) : nil }
}

extension S3Request {
    /// Parses the head of a request; `nil` if the target is not well encoded.
    init?(_ head: HTTPRequestHead, bucketOfServer: String) {
        let target = head.uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        guard let path = percentDecoded(target[0].dropFirst(), plusIsSpace: false) else { return nil }
        var query: [String: [UInt8]] = [:]
        for field in target.dropFirst().first?.split(separator: "&") ?? [] {
            let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let value = percentDecoded(parts.count == 2 ? parts[1] : "", plusIsSpace: true) else { return nil }
            query[String(parts[0])] = value
        }
        let headers = Dictionary(head.headers.map { ($0.name.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
        let isVirtualHost = headers["host"]?.hasPrefix(bucketOfServer + ".") ?? false
        let components = path.split(separator: Key.delimiter, maxSplits: 1, omittingEmptySubsequences: false)
        let objectKey = isVirtualHost ? Key(path) : Key(components.dropFirst().first ?? [])

        self.method = head.method.rawValue
        self.target = head.uri
        self.bucket = isVirtualHost ? bucketOfServer : String(decoding: components.first ?? [], as: UTF8.self)
        self.kind = Self.kind(method: head.method, isBucket: objectKey == .empty, query: query)
        self.key = kind == .list ? Key(query["prefix"] ?? []) : objectKey
        self.query = query
        self.headers = headers
    }

    private static func kind(method: HTTPMethod, isBucket: Bool, query: [String: [UInt8]]) -> Kind {
        switch method {
        case .HEAD: .head
        case .GET where isBucket && query["session"] != nil: .session
        case .GET where isBucket:
            query["list-type"] == Array("2".utf8) || query["encoding-type"] != nil ? .list : .other
        case .GET: .get
        default: .other
        }
    }
}
