import CXXHash
public import ObjectStore

/// The kernel's id of an inode: FUSE's nodeid.
///
/// It stands for one *version* of an object, while `Inode.number`, which users see as `st_ino`, stands for the key. So
/// the kernel sees an overwritten object as another inode with its own page cache: an open file keeps the bytes of its
/// version, and the page cache never mixes two.
public struct InodeID: RawRepresentable, Hashable, Sendable {
    /// The number; 1 is the root (FUSE_ROOT_ID), 0 is invalid.
    public let rawValue: UInt64

    /// The id with this number.
    public init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The mount's root.
    public static let root = InodeID(rawValue: 1)

    /// The first number that the protocol doesn't reserve.
    static let firstFree: UInt64 = 2
}

/// A file or directory. It never changes: a changed object is another inode.
public struct Inode: Hashable, Sendable {
    /// The file or directory that an inode stands for.
    public enum Kind: Hashable, Sendable {
        case file(ListedObject)
        case directory
    }

    /// The kernel's id.
    public let id: InodeID
    /// The object's key; a directory's ends in "/", or is empty for the root of a bucket.
    public let key: Key
    /// File or directory.
    public let kind: Kind

    /// The inode number that users see (`st_ino`, `d_ino`): the same for the same key in every mount.
    ///
    /// 62 bits of XXH3: overlayfs needs the other two to tell the bucket's files from those written over them (`xino`).
    /// The chance that two of 15 million keys share a number is 24 in a million. Such numbers aren't changed, since the
    /// result would depend on the order of lookups and differ after a remount.
    public var number: UInt64 {
        Inode.number(of: key)
    }

    /// Returns the inode number of a key.
    public static func number(of key: Key) -> UInt64 {
        key.bytes.withUnsafeBytes { number(of: $0) }
    }

    /// Returns the inode number of a key's bytes.
    static func number(of key: UnsafeRawBufferPointer) -> UInt64 {
        max(hash(key, seed: 0) >> 2, InodeID.firstFree)
    }

    /// Returns 64 bits of XXH3.
    static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        tractfs_xxh3_64(bytes.baseAddress, bytes.count, seed)
    }
}
