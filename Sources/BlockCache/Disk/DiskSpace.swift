import Logging
import Synchronization
import struct SystemPackage.Errno

/// The room that the cache may take: its limit, and what must stay free on the disk for others.
final class DiskSpace: Sendable {
    /// What the cache may take, in bytes.
    let byteLimit: Int
    /// What of it evictions leave.
    let kept: KeptSpace

    private struct State {
        /// How much may be written before one looks at the file system again.
        var uncheckedByteCount = 0
        /// Eviction is no use until then.
        var evictionPausedUntil: ContinuousClock.Instant?
    }

    /// What stays free: a twentieth of the disk, at most 10 GiB. A disk that is full to the brim hurts everybody on it.
    private static let floorDivisor = 20
    private static let floorByteCountLimit = 10 << 30

    /// Look at the file system every so many bytes: others write to it as well, at about our speed.
    private static let checkByteCount = 64 << 20

    /// After evicting, this much of the limit is in use, in percent, so that the next time isn't at once.
    private static let targetPercent = 90

    /// When all there is is in use, a look through the directory finds nothing, and needn't be taken for every block.
    private static let futileEvictionPause: Duration = .seconds(1)

    private let state = Mutex(State())
    private let isEnding = Atomic(false)
    private let health: DiskHealth
    private let logger: Logger

    /// Room for `byteLimit` bytes.
    init(byteLimit: Int, health: DiskHealth, logger: Logger) {
        self.byteLimit = byteLimit
        kept = KeptSpace(cacheByteLimit: byteLimit)
        self.health = health
        self.logger = logger
    }

    /// What one write of a batch takes at most: small against the limit, since a batch that another process has reserved and
    /// not written yet may be missed by a count.
    var batchByteLimit: Int {
        max(min(DiskSpace.largestBatchByteCount, byteLimit / 64), Block.byteCount)
    }

    /// More at once is no faster.
    private static let largestBatchByteCount = 4 << 20

    /// The biggest index that is worth it; that of a bigger object would be mostly empty in a cache of this size.
    var indexByteLimit: Int { byteLimit / 64 }

    /// Whether there is so little room left that it is time to evict.
    func isShort(in directory: CacheDirectory) -> Bool {
        directory.usage.byteCount > byteLimit - batchByteLimit
    }

    /// How much can be in the cache without an eviction taking some of it.
    var fillableByteCount: Int { byteLimit / 100 * DiskSpace.targetPercent - batchByteLimit }

    /// How much the cache could take if its limit didn't count: what it does, and what others leave on the disk.
    func byteCountWithinDisk(of directory: CacheDirectory) throws(Errno) -> Int {
        let room = try directory.room()
        return directory.usage.byteCount + room.freeByteCount - DiskSpace.floorByteCount(of: room.byteCount)
    }

    /// Sets `byteCount` bytes aside, if there is room.
    func reserve(_ byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Bool {
        guard try lacking(for: byteCount, in: directory) == 0 else { return false }
        return try directory.usage.reserve(byteCount, limit: byteLimit)
    }

    /// The same, after evicting what is needed. Takes as long as a look through the directory.
    func reserveEvicting(_ byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Bool {
        if try reserve(byteCount, in: directory) { return true }
        try evict(for: byteCount, in: directory)
        return try reserve(byteCount, in: directory)
    }

    /// Breaks off what takes its time, with `Errno.canceled`: the cache is being shut down.
    func end() {
        isEnding.store(true, ordering: .relaxed)
    }

    /// Finds out what there is, and sets the usage right.
    @discardableResult
    func count(_ directory: CacheDirectory) throws(Errno) -> Eviction {
        let eviction = try Eviction(counting: directory) { isEnding.load(ordering: .relaxed) }
        if eviction.nonsenseCount > 0 { health.noteDamage("\(eviction.nonsenseCount) objects") }
        return eviction
    }

    /// Counts everything anew, and makes room for `byteCount` bytes where there isn't.
    func evict(for byteCount: Int, in directory: CacheDirectory) throws(Errno) {
        let now = ContinuousClock.now
        guard state.withLock({ now >= $0.evictionPausedUntil ?? now }) else { return }
        var eviction = try count(directory)
        // Another process doesn't let go of the number. It would stand for more than any limit, and so for everything to go.
        guard directory.usage.isKnown else { throw .resourceTemporarilyUnavailable }
        let needed = try excess(with: byteCount, in: directory)
        let freed = try eviction.free(needed)
        if needed > 0 { logger.debug("the disk cache evicted \(freed) of \(needed) bytes") }
        // Nothing freed is too little also where nobody waits for room.
        if freed < min(max(byteCount, 1), needed) {
            state.withLock { $0.evictionPausedUntil = .now + DiskSpace.futileEvictionPause }
        }
    }

    /// How much is to go, so that `byteCount` bytes have room, and the next time isn't at once.
    private func excess(with byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Int {
        let slack = byteLimit / 100 * (100 - DiskSpace.targetPercent)
        let used = directory.usage.byteCount + byteCount
        state.withLock { $0.uncheckedByteCount = -1 }
        let lacking = try lacking(for: byteCount, in: directory)
        return max(
            used > byteLimit - batchByteLimit ? used - byteLimit + slack : 0,
            lacking > 0 ? lacking + slack : 0)
    }

    /// Whether the disk itself, not our limit, has no room left.
    func isDiskFull(in directory: CacheDirectory) throws(Errno) -> Bool {
        let room = try directory.room()
        return room.freeByteCount < DiskSpace.floorByteCount(of: room.byteCount) + batchByteLimit
    }

    /// Whether `byteCount` bytes more would leave on the disk of `directory` what must stay free.
    static func hasRoom(for byteCount: Int, in directory: LocalFile) throws(Errno) -> Bool {
        let room = try directory.room()
        return room.freeByteCount >= floorByteCount(of: room.byteCount) + byteCount
    }

    /// How many bytes less than these should be on the disk for it to keep its floor.
    private func lacking(for byteCount: Int, in directory: CacheDirectory) throws(Errno) -> Int {
        let isDue = state.withLock { state in
            state.uncheckedByteCount -= byteCount
            return state.uncheckedByteCount < 0
        }
        guard isDue else { return 0 }
        let room = try directory.room()
        let spare = room.freeByteCount - DiskSpace.floorByteCount(of: room.byteCount)
        // The nearer to the floor, the sooner one looks again.
        state.withLock { $0.uncheckedByteCount = min(DiskSpace.checkByteCount, max(spare - byteCount, 0) / 4) }
        return max(byteCount - spare, 0)
    }

    /// How much of a disk of so many bytes stays free.
    static func floorByteCount(of byteCount: Int) -> Int {
        min(byteCount / floorDivisor, floorByteCountLimit)
    }
}
