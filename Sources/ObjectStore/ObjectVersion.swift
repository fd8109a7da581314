public import SystemSupport

/// One version of an object. A reader that opened this version receives its bytes, never those of another version.
public struct ObjectVersion: Hashable, Sendable {
    /// The object's key.
    public let key: Key
    /// The ETag, which is a condition of each request for the bytes, or a stand-in if the listing has none.
    public let etag: ETag
    /// The size in bytes.
    public let byteCount: Int

    /// The largest valid size: more than S3's largest objects have (50 TiB), and small enough for sums not to overflow.
    /// A listed object that claims to be larger is invalid.
    public static let byteCountLimit = 1 << 53

    /// Creates the version of `key` with this ETag and size.
    public init(key: Key, etag: ETag, byteCount: Int) {
        self.key = key
        self.etag = etag
        self.byteCount = byteCount
    }
}

/// An object in a listing, with all that a file system needs without a request for the object itself.
public struct ListedObject: Hashable, Sendable {
    /// The key, the ETag and the size.
    public let version: ObjectVersion
    /// The time at which the object was last written; `Timestamp.unknown` if the listing has none.
    public let lastModified: Timestamp
    /// S3's storage class, such as "GLACIER"; "STANDARD" if the listing has none.
    public let storageClass: String

    /// Creates an object of this version, time and storage class.
    public init(version: ObjectVersion, lastModified: Timestamp, storageClass: String = "STANDARD") {
        self.version = version
        self.lastModified = lastModified
        self.storageClass = storageClass
    }

    /// `true` if the object may have to be restored before it can be read ("Amazon S3 storage classes" in the User
    /// Guide). Objects in GLACIER_IR need no restore.
    public var isArchived: Bool { storageClass == "GLACIER" || storageClass == "DEEP_ARCHIVE" }
}
