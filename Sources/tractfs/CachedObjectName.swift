import BlockCache
import ObjectStore
import S3Client

/// What an object of the cache is called by its users.
struct CachedObjectName: CustomStringConvertible {
    /// The endpoint's URL; `nil` for AWS's own.
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

    /// The key just as it is, for programs.
    var keyText: String { String(decoding: key.bytes, as: UTF8.self) }

    /// The URI, with what a terminal might obey escaped, and where it is if that isn't AWS.
    var description: String {
        "s3://\(bucket)/\(key)" + (endpoint.map { " (\($0))" } ?? "")
    }

    /// Whether it is what `uri` names: that object, or one in that folder.
    func isWithin(_ uri: S3URI) -> Bool {
        guard bucket == uri.bucket else { return false }
        if uri.prefix.bytes.isEmpty || uri.prefix.endsInDelimiter { return key.hasPrefix(uri.prefix) }
        return key == uri.prefix || key.hasPrefix(uri.prefix.appending([Key.delimiter]))
    }
    /// The prefix of what `uri` names as a folder, if it is in the bucket `source`.
    static func folder(_ uri: S3URI, in source: String) -> Key? {
        guard CachedObjectName(source: source, key: .empty).bucket == uri.bucket else { return nil }
        let prefix = uri.prefix
        return prefix.bytes.isEmpty || prefix.endsInDelimiter ? prefix : prefix.appending([Key.delimiter])
    }
}
