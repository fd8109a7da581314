import Synchronization

/// The pinned bytes of the cache, as far as this process knows: its last count, plus its own additions since. It bounds
/// the additions of one command; the next count includes those of other processes.
final class PinnedSpace: Sendable {
    /// The most of the cache's limit that may be pinned, in percent. The rest is for ordinary reads.
    private static let percent = 80

    /// The most bytes that may be pinned.
    let byteLimit: Int
    private let byteCount = Mutex(0)

    /// Creates the bound for a cache with nothing pinned.
    ///
    /// - Parameter cacheByteLimit: The limit of the whole cache.
    init(cacheByteLimit: Int) {
        byteLimit = cacheByteLimit / 100 * PinnedSpace.percent
    }

    /// Sets the number of pinned bytes.
    func set(_ byteCount: Int) {
        self.byteCount.withLock { $0 = byteCount }
    }

    /// Adds `byteCount` unless the limit would be exceeded.
    func add(_ byteCount: Int) -> Bool {
        self.byteCount.withLock { sum in
            guard sum + byteCount <= byteLimit else { return false }
            sum += byteCount
            return true
        }
    }

    /// Subtracts bytes that are no longer pinned.
    func takeOff(_ byteCount: Int) {
        self.byteCount.withLock { $0 = max($0 - byteCount, 0) }
    }
}
