/// An error that prevents the creation of a block cache.
public enum BlockCacheError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The limit is less than a reader needs to make progress.
    case limitTooSmall(byteLimit: Int)
    /// The kernel refuses to map that much address space (`mmap(2)`).
    case mappingFailed(byteCount: Int, errno: Int32)

    /// One sentence for users, without a period: the fault and the remedy.
    public var description: String {
        switch self {
        case .limitTooSmall(let byteLimit):
            "a memory limit of \(byteLimit) bytes is too small: give at least \(BlockCache.minimumByteLimit >> 20) MiB"
        case .mappingFailed(let byteCount, let errno):
            "\(byteCount >> 20) MiB of memory could not be reserved (mmap: errno \(errno)): give a smaller memory limit"
        }
    }
}
