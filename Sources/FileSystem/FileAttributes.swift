import Namespace
import ObjectStore
public import SystemSupport

/// What `stat` tells of a file or directory (stat(2), inode(7)).
public struct FileAttributes: Hashable, Sendable {
    /// `st_ino`.
    public let inodeNumber: UInt64
    /// Whether it is a directory; a regular file otherwise.
    public let isDirectory: Bool
    /// The permission bits of `st_mode`.
    public let permissions: UInt32
    /// `st_uid`.
    public let userID: UInt32
    /// `st_gid`.
    public let groupID: UInt32
    /// `st_size`, in bytes; 0 for a directory.
    public let byteCount: Int
    /// `st_mtime`, `st_ctime` and `st_atime`: when the object was last written; for directories `directoryTime`.
    public let modified: Timestamp

    /// The time of every directory: 2000-01-01T00:00:00Z. S3 keeps no time of a prefix, and build tools run everything again
    /// whose input has another time than before, so it is the same in every mount.
    public static let directoryTime = Timestamp(seconds: 946_684_800)

    /// `st_blocks`: units of 512 bytes, as `du` counts them. At least one, because tools take a file without blocks for a
    /// sparse one that need not be read.
    public var blockCount: Int { max((byteCount + 511) / 512, 1) }

    /// `st_blksize`, in bytes. Python sizes its read buffer by it.
    public static let preferredReadByteCount = 128 * 1_024
}

/// Who owns what is mounted, and who may read it: S3 knows neither.
public struct Ownership: Hashable, Sendable {
    /// The owner of everything (`--uid`).
    public var userID: UInt32
    /// The group of everything (`--gid`).
    public var groupID: UInt32
    /// The permission bits of files (`--file-mode`).
    public var filePermissions: UInt32
    /// The permission bits of directories (`--dir-mode`).
    public var directoryPermissions: UInt32

    /// Everything belongs to this user and group, with these permissions.
    public init(userID: UInt32, groupID: UInt32, filePermissions: UInt32, directoryPermissions: UInt32) {
        self.userID = userID
        self.groupID = groupID
        self.filePermissions = filePermissions
        self.directoryPermissions = directoryPermissions
    }
}

extension FileAttributes {
    init(_ inode: Inode, number: UInt64, ownership: Ownership) {
        switch inode.kind {
        case .directory:
            self.init(directory: number, ownership: ownership)
        case .file(let object):
            self.init(
                file: number, byteCount: object.version.byteCount, modified: object.lastModified,
                ownership: ownership)
        }
    }

    init(_ entry: ListedEntry, number: UInt64, ownership: Ownership) {
        if entry.isDirectory {
            self.init(directory: number, ownership: ownership)
        } else {
            self.init(
                file: number, byteCount: entry.byteCount, modified: entry.lastModified, ownership: ownership)
        }
    }

    private init(directory number: UInt64, ownership: Ownership) {
        self.init(
            inodeNumber: number, isDirectory: true, permissions: ownership.directoryPermissions,
            userID: ownership.userID, groupID: ownership.groupID, byteCount: 0,
            modified: Self.directoryTime)
    }

    private init(file number: UInt64, byteCount: Int, modified: Timestamp, ownership: Ownership) {
        self.init(
            inodeNumber: number, isDirectory: false, permissions: ownership.filePermissions,
            userID: ownership.userID, groupID: ownership.groupID, byteCount: byteCount, modified: modified)
    }
}
