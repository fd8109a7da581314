import BlockCache
import ObjectStore
import S3Client

/// The name of a cached object for users.
struct CachedObjectName: CustomStringConvertible {
    /// The URL of the endpoint; `nil` for AWS.
    let endpoint: String?
    let bucket: String
    let key: Key

    init(source: String, key: Key) {
        (endpoint, bucket) = S3Configuration.parts(ofBucketIdentity: source)
        self.key = key
    }

    init(_ object: DiskCacheDirectory.Object) {
        self.init(source: object.source, key: object.version.key)
    }

    /// The key without escapes, for programs.
    var keyText: String { String(decoding: key.bytes, as: UTF8.self) }

    /// The URI, with the characters escaped that a terminal obeys, and the endpoint unless it is AWS.
    var description: String {
        "s3://\(bucket)/\(key)" + (endpoint.map { " (\($0))" } ?? "")
    }

    /// Returns `true` if `uri` names this object, or a folder that it is in.
    func isWithin(_ uri: S3URI) -> Bool {
        guard bucket == uri.bucket else { return false }
        if uri.prefix.bytes.isEmpty || uri.prefix.endsInDelimiter { return key.hasPrefix(uri.prefix) }
        return key == uri.prefix || key.hasPrefix(uri.prefix.appending([Key.delimiter]))
    }

    /// Returns the prefix of the folder that `uri` names, if it is in the bucket `source`.
    static func folder(_ uri: S3URI, in source: String) -> Key? {
        guard CachedObjectName(source: source, key: .empty).bucket == uri.bucket else { return nil }
        let prefix = uri.prefix
        return prefix.bytes.isEmpty || prefix.endsInDelimiter ? prefix : prefix.appending([Key.delimiter])
    }
}
