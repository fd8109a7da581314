import Namespace
import ObjectStore

/// Properties of an S3 object beyond `stat`, as extended attributes (xattr(7)); only with `--xattrs`.
enum ExtendedAttribute: String, CaseIterable {
    case etag = "user.s3.etag"
    case key = "user.s3.key"
    case uri = "user.s3.uri"
    case storageClass = "user.s3.storage_class"
    /// Only for archived objects.
    case restore = "user.s3.restore"
    /// A URL that gives access to the file; only with `--presign-xattr`. Its value is created on request.
    case presignedURL = "user.s3.presigned_url"

    /// Returns the value for an inode of `bucket`; `nil` if the inode has no such attribute. Directories have a key and
    /// a URI only.
    ///
    /// - Parameter restoration: The state of an archived object.
    func value(of inode: Inode, bucket: String, restoration: ArchivedObjects.Restoration?) -> [UInt8]? {
        switch (self, inode.kind) {
        case (.key, _): inode.key.bytes
        case (.uri, _): Array("s3://\(bucket)/".utf8) + inode.key.bytes
        // The quotation marks belong to the header, not to the tag that users compare with a checksum.
        case (.etag, .file(let object)) where object.version.etag.isStandIn: nil
        case (.etag, .file(let object)): Array(object.version.etag.text.utf8.filter { $0 != UInt8(ascii: "\"") })
        case (.storageClass, .file(let object)): Array(object.storageClass.utf8)
        case (.restore, .file): restoration.map { Array($0.rawValue.utf8) }
        case (.etag, .directory), (.storageClass, .directory), (.restore, .directory), (.presignedURL, _): nil
        }
    }
}
