import Namespace

/// What `statfs` tells (statvfs(3)). A bucket has no size, and asking S3 for one would cost a listing of all of it: the
/// numbers are those of a very large, almost empty disk, since tools that see zeros refuse to work.
public struct FileSystemCapacity: Sendable {
    /// `f_bsize` and `f_frsize`, in bytes.
    public let blockByteCount = FileAttributes.preferredReadByteCount
    /// `f_blocks`: 1 EiB, which in bytes still is a positive number to those who count with 64 bits and a sign.
    public let blockCount: UInt64 = (1 << 60) / UInt64(FileAttributes.preferredReadByteCount)
    /// `f_files`.
    public let fileCount: UInt64 = 1 << 32
    /// `f_namemax`, in bytes.
    public let nameByteCountLimit = Name.byteCountLimit

    /// The same for every mount.
    public init() {}
}
