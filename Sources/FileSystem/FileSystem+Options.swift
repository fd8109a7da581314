public import ObjectStore
public import SystemSupport

/// The settings of a mount that operations depend on.
extension FileSystem {
    /// The user's settings for the appearance of the file system.
    public struct Options: Sendable {
        /// The bucket's name, for `s3://` URIs.
        public var bucket: String
        /// Owners and permissions.
        public var ownership: Ownership
        /// The time at which the mount began.
        public var mountTime: Timestamp
        /// `true` if there are extended attributes (`--xattrs`). If not, the kernel is told so once, which saves the
        /// two requests that `ls -l` sends for each file.
        public var hasExtendedAttributes: Bool
        /// `true` if files have an attribute with a URL (`--presign-xattr`).
        public var hasPresignedURLAttribute = false
        /// `true` if inode numbers fit in 32 bits (`--inode-bits 32`).
        public var hasShortInodeNumbers = false
        /// The source of URLs; `nil` if there are none.
        public var urls: (any ObjectURLSource)?

        /// Creates options without a source of URLs.
        public init(bucket: String, ownership: Ownership, mountTime: Timestamp, hasExtendedAttributes: Bool) {
            self.bucket = bucket
            self.ownership = ownership
            self.mountTime = mountTime
            self.hasExtendedAttributes = hasExtendedAttributes
        }
    }
}
