import Logging
import Synchronization
import struct SystemPackage.Errno

/// The disk space that the cache may use: its limit, and the part of the disk that stays free for others.
final class DiskSpace: Sendable {
    /// The disk space that the cache may use, in bytes.
    let byteLimit: Int
    /// The pinned part of that space.
    let pinned: PinnedSpace

    private struct State {
        /// The number of bytes that may be written before the file system is checked again.
        var uncheckedByteCount = 0
        /// Evictions are futile until then.
        var evictionPausedUntil: ContinuousClock.Instant?
    }

    /// The part that stays free: a twentieth of the disk, at most 10 GiB. A completely full disk hurts all its users.
    private static let floorDivisor = 20
    private static let floorByteCountLimit = 10 << 30

    /// The interval of checks of the file system, in bytes written: others write to it as well, at about our speed.
    private static let checkByteCount = 64 << 20

    /// The usage after an eviction, in percent of the limit, so that the next eviction isn't immediate.
    private static let targetPercent = 90

    /// The pause after a futile eviction. When all objects are in use a scan finds nothing, and isn't repeated for
    /// every block.
    private static let futileEvictionPause: Duration = .seconds(1)

    private let state = Mutex(State())
    private let isEnding = Atomic(false)
    private let health: DiskHealth
    private let logger: Logger

    /// Creates the space for a limit of `byteLimit` bytes.
    init(byteLimit: Int, health: DiskHealth, logger: Logger) {
        self.byteLimit = byteLimit
        pinned = PinnedSpace(cacheByteLimit: byteLimit)
        self.health = health
        self.logger = logger
    }

    /// The most bytes that one batch may write. It is small against the limit, since a count may miss a batch that
    /// another process has reserved but not written yet.
    var batchByteLimit: Int {
        max(min(DiskSpace.largestBatchByteCount, byteLimit / 64), Block.byteCount)
    }

    /// A bigger batch is no faster.
    private static let largestBatchByteCount = 4 << 20

    /// The biggest index worth storing; the index of a bigger object would be mostly empty in a cache of this size.
    var indexByteLimit: Int { byteLimit / 64 }

    /// Returns `true` if so little room is left that it is time to evict.
    func isShort(in directory: CacheDirectory) -> Bool {
        directory.usage.byteCount > byteLimit - batchByteLimit
    }

    /// The number of bytes that can be cached without an eviction.
    var fillableByteCount: Int { byteLimit / 100 * DiskSpace.targetPercent - batchByteLimit }

    /// Returns the size that the cache could reach without its limit: its usage plus the space that others leave free.
    func byteCountWithinDisk(of directory: CacheDirectory) throws(Errno) -> Int {
        let room = try directory.room()
        return directory.usage.byteCount + room.freeByteCount - DiskSpace.floorByteCount(of: room.byteCount)
    }

    /// Reserves `byteCount` bytes if there is room.
    func reserve(_ byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Bool {
        guard try lacking(for: byteCount, in: directory) == 0 else { return false }
        return try directory.usage.reserve(byteCount, limit: byteLimit)
    }

    /// Reserves `byteCount` bytes, evicting if needed. Takes as long as a scan of the directory.
    func reserveEvicting(_ byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Bool {
        if try reserve(byteCount, in: directory) { return true }
        try evict(for: byteCount, in: directory)
        return try reserve(byteCount, in: directory)
    }

    /// Cancels long operations with `Errno.canceled`: the cache is being shut down.
    func end() {
        isEnding.store(true, ordering: .relaxed)
    }

    /// Counts all files and corrects the usage.
    @discardableResult
    func count(_ directory: CacheDirectory) throws(Errno) -> Eviction {
        let eviction = try Eviction(counting: directory) { isEnding.load(ordering: .relaxed) }
        if eviction.invalidCount > 0 { health.noteDamage("\(eviction.invalidCount) objects") }
        return eviction
    }

    /// Recounts all files, and makes room for `byteCount` bytes if needed.
    func evict(for byteCount: Int, in directory: CacheDirectory) throws(Errno) {
        let now = ContinuousClock.now
        guard state.withLock({ now >= $0.evictionPausedUntil ?? now }) else { return }
        var eviction = try count(directory)
        // Another process holds the lock of the usage file. An unknown usage exceeds any limit, and would evict
        // everything.
        guard directory.usage.isKnown else { throw .resourceTemporarilyUnavailable }
        let needed = try excess(with: byteCount, in: directory)
        let freed = try eviction.free(needed)
        if needed > 0 { logger.debug("the disk cache evicted \(freed) of \(needed) bytes") }
        // Freeing nothing is also futile when no write waits for room.
        if freed < min(max(byteCount, 1), needed) {
            state.withLock { $0.evictionPausedUntil = .now + DiskSpace.futileEvictionPause }
        }
    }

    /// Returns the number of bytes to evict, so that `byteCount` bytes fit and the next eviction isn't immediate.
    private func excess(with byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Int {
        let slack = byteLimit / 100 * (100 - DiskSpace.targetPercent)
        let used = directory.usage.byteCount + byteCount
        state.withLock { $0.uncheckedByteCount = -1 }
        let lacking = try lacking(for: byteCount, in: directory)
        return max(
            used > byteLimit - batchByteLimit ? used - byteLimit + slack : 0,
            lacking > 0 ? lacking + slack : 0)
    }

    /// Returns `true` if the disk itself is full, not just our limit reached.
    func isDiskFull(in directory: CacheDirectory) throws(Errno) -> Bool {
        let room = try directory.room()
        return room.freeByteCount < DiskSpace.floorByteCount(of: room.byteCount) + batchByteLimit
    }

    /// Returns `true` if `byteCount` more bytes leave the free floor of the disk of `directory` intact.
    static func hasRoom(for byteCount: Int, in directory: LocalFile) throws(Errno) -> Bool {
        let room = try directory.room()
        return room.freeByteCount >= floorByteCount(of: room.byteCount) + byteCount
    }

    /// Returns the number of bytes by which the disk falls short of its floor.
    private func lacking(for byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Int {
        let isDue = state.withLock { state in
            state.uncheckedByteCount -= byteCount
            return state.uncheckedByteCount < 0
        }
        guard isDue else { return 0 }
        let room = try directory.room()
        let spare = room.freeByteCount - DiskSpace.floorByteCount(of: room.byteCount)
        // The nearer to the floor, the earlier the next check.
        state.withLock { $0.uncheckedByteCount = min(DiskSpace.checkByteCount, max(spare - byteCount, 0) / 4) }
        return max(byteCount - spare, 0)
    }

    /// Returns the bytes that stay free on a disk of `byteCount` bytes.
    static func floorByteCount(of byteCount: Int) -> Int {
        min(byteCount / floorDivisor, floorByteCountLimit)
    }
}
