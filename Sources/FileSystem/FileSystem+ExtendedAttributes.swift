public import Namespace
public import struct SystemPackage.Errno

/// Extended attributes.
extension FileSystem {
    /// Returns the value of an extended attribute (FUSE_GETXATTR).
    public func extendedAttribute(_ name: String, of id: InodeID) throws(Errno) -> [UInt8] {
        guard options.hasExtendedAttributes else { throw .noFunction }
        let inode = try inode(id)
        guard let attribute = ExtendedAttribute(rawValue: name), let value = value(of: attribute, of: inode) else {
            throw .noData
        }
        return value
    }

    /// Returns the names of an inode's extended attributes, each ended by a NUL (FUSE_LISTXATTR).
    public func extendedAttributeNames(of id: InodeID) throws(Errno) -> [UInt8] {
        guard options.hasExtendedAttributes else { throw .noFunction }
        let inode = try inode(id)
        return ExtendedAttribute.allCases
            .filter { $0 == .presignedURL ? hasPresignedURL(inode) : value(of: $0, of: inode) != nil }
            .flatMap { Array($0.rawValue.utf8) + [0] }
    }

    private func value(of attribute: ExtendedAttribute, of inode: Inode) -> [UInt8]? {
        attribute.value(of: inode, bucket: options.bucket, restoration: archived.restoration(of: inode))
    }
}
