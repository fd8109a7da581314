/// Why there is no cache.
public enum BlockCacheError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The limit is less than what the reader needs to get anything done.
    case limitTooSmall(byteLimit: Int)
    /// The kernel does not give that much address space (`mmap(2)`).
    case mappingFailed(byteCount: Int, errno: Int32)

    /// One sentence for a person, without a full stop: what is wrong and what to do.
    public var description: String {
        switch self {
        case .limitTooSmall(let byteLimit):
            "a memory limit of \(byteLimit) bytes is too small: give at least \(BlockCache.minimumByteLimit >> 20) MiB"
        case .mappingFailed(let byteCount, let errno):
            "\(byteCount >> 20) MiB of memory could not be reserved (mmap: errno \(errno)): give a smaller memory limit"
        }
    }
}
