import Synchronization

/// How many bytes of the cache evictions have to leave, as far as this process knows: what it counted last, and what it has
/// added since. It bounds what one command adds; other processes' additions are seen at the next count.
final class KeptSpace: Sendable {
    /// How much of the cache's limit may be kept, in percent. The rest is for what is read by the way.
    private static let percent = 80

    /// What may be kept, in bytes.
    let byteLimit: Int
    private let byteCount = Mutex(0)

    /// - Parameter cacheByteLimit: What the whole cache may take.
    init(cacheByteLimit: Int) {
        byteLimit = cacheByteLimit / 100 * KeptSpace.percent
    }

    /// There is so much.
    func set(_ byteCount: Int) {
        self.byteCount.withLock { $0 = byteCount }
    }

    /// Adds so much, unless it would be too much then.
    func add(_ byteCount: Int) -> Bool {
        self.byteCount.withLock { sum in
            guard sum + byteCount <= byteLimit else { return false }
            sum += byteCount
            return true
        }
    }

    /// So much is kept no longer.
    func takeOff(_ byteCount: Int) {
        self.byteCount.withLock { $0 = max($0 - byteCount, 0) }
    }
}
