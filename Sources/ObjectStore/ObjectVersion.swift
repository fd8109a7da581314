public import SystemSupport

/// One version of one object: the bytes that a reader is promised, never another version's.
public struct ObjectVersion: Hashable, Sendable {
    /// The object's key.
    public let key: Key
    /// The ETag that every request for its bytes is tied to, or the stand-in for an ETag that the listing does not have.
    public let etag: ETag
    /// The size in bytes.
    public let byteCount: Int

    /// More than any object has (S3's largest have 50 TiB), and little enough to calculate with: what claims to be larger
    /// is not believed.
    public static let byteCountLimit = 1 << 53

    /// The version of `key` whose ETag is `etag`, `byteCount` bytes long.
    public init(key: Key, etag: ETag, byteCount: Int) {
        self.key = key
        self.etag = etag
        self.byteCount = byteCount
    }
}

/// An object as a listing tells it: all that a file system needs to know of it without asking for the object itself.
public struct ListedObject: Hashable, Sendable {
    /// Which bytes: key, ETag and size.
    public let version: ObjectVersion
    /// The time at which the object was last written; `Timestamp.unknown` where the listing doesn't say so.
    public let lastModified: Timestamp
    /// S3's storage class, such as "STANDARD" or "GLACIER"; "STANDARD" where the store names none.
    public let storageClass: String

    /// An object of this version, time and storage class.
    public init(version: ObjectVersion, lastModified: Timestamp, storageClass: String = "STANDARD") {
        self.version = version
        self.lastModified = lastModified
        self.storageClass = storageClass
    }

    /// Whether it may have to be restored before it can be read ("Amazon S3 storage classes" in the User Guide). Not
    /// GLACIER_IR, which is read like any other.
    public var isArchived: Bool { storageClass == "GLACIER" || storageClass == "DEEP_ARCHIVE" }
}
