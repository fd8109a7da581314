import Namespace

/// The values that `statfs` returns (statvfs(3)). A bucket has no size, and finding it would take a listing of the
/// whole bucket. The values are those of a very large, almost empty disk, since some tools refuse to work when they see
/// zeros.
public struct FileSystemCapacity: Sendable {
    /// `f_bsize` and `f_frsize`, in bytes.
    public let blockByteCount = FileAttributes.preferredReadByteCount
    /// `f_blocks`: 1 EiB in all, which still fits in a signed integer of 64 bits.
    public let blockCount: UInt64
    /// `f_files`.
    public let fileCount: UInt64
    /// `f_namemax`, in bytes.
    public let nameByteCountLimit = Name.byteCountLimit

    /// Creates the capacity of a file system.
    ///
    /// - Parameter fitsIn32Bits: `true` to return no number with more bits. The disk then has 128 TiB.
    public init(fitsIn32Bits: Bool = false) {
        blockCount = fitsIn32Bits ? 1 << 30 : (1 << 60) / UInt64(FileAttributes.preferredReadByteCount)
        fileCount = fitsIn32Bits ? 1 << 31 : 1 << 32
    }
}
