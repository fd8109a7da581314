import CXXHash
public import ObjectStore

/// What the kernel calls an inode by: FUSE's nodeid.
///
/// It names one *writing* of an object, while `Inode.number`, which users see as `st_ino`, names the key. So an
/// overwritten object is another inode for the kernel, with pages of its own: a file that is open keeps its version's
/// bytes, and the page cache can never mix two versions.
public struct InodeID: RawRepresentable, Hashable, Sendable {
    /// The number; 1 is the root (FUSE_ROOT_ID), 0 none.
    public let rawValue: UInt64

    /// The inode that the kernel calls by this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The mount's root.
    public static let root = InodeID(rawValue: 1)

    /// The first of the numbers that are not taken by the protocol.
    static let firstFree: UInt64 = 2
}

/// A file or directory, as it doesn't change any more: a changed object is another inode.
public struct Inode: Hashable, Sendable {
    /// What the inode stands for.
    public enum Kind: Hashable, Sendable {
        case file(ListedObject)
        case directory
    }

    /// What the kernel knows it by.
    public let id: InodeID
    /// The object's key; a directory's ends in "/", or is empty for the root of a bucket.
    public let key: Key
    /// File or directory.
    public let kind: Kind

    /// The number that users see (`st_ino`, `d_ino`): the same for the same key in every mount.
    ///
    /// 62 bits of XXH3: overlayfs needs the two others to tell the bucket's files from those that were written over them
    /// (`xino`). Two keys of 15 million have the same number with a chance of 24 in a million; numbers are not moved apart then,
    /// because who moves would depend on who was seen first, and so be different after a remount.
    public var number: UInt64 {
        Inode.number(of: key)
    }

    /// The inode number of a key.
    public static func number(of key: Key) -> UInt64 {
        key.bytes.withUnsafeBytes { number(of: $0) }
    }

    /// The inode number of a key's bytes.
    static func number(of key: UnsafeRawBufferPointer) -> UInt64 {
        max(hash(key, seed: 0) >> 2, InodeID.firstFree)
    }

    /// 64 bits of XXH3.
    static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        tractfs_xxh3_64(bytes.baseAddress, bytes.count, seed)
    }
}
