import Namespace

/// What `statfs` tells (statvfs(3)). A bucket has no size, and asking S3 for one would cost a listing of all of it: the
/// numbers are those of a very large, almost empty disk, since tools that see zeros refuse to work.
public struct FileSystemCapacity: Sendable {
    /// `f_bsize` and `f_frsize`, in bytes.
    public let blockByteCount = FileAttributes.preferredReadByteCount
    /// `f_blocks`: 1 EiB, which in bytes still is a positive number to those who count with 64 bits and a sign.
    public let blockCount: UInt64
    /// `f_files`.
    public let fileCount: UInt64
    /// `f_namemax`, in bytes.
    public let nameByteCountLimit = Name.byteCountLimit

    /// - Parameter fitsIn32Bits: Whether no number has more bits. The disk then has 128 TiB.
    public init(fitsIn32Bits: Bool = false) {
        blockCount = fitsIn32Bits ? 1 << 30 : (1 << 60) / UInt64(FileAttributes.preferredReadByteCount)
        fileCount = fitsIn32Bits ? 1 << 31 : 1 << 32
    }
}
