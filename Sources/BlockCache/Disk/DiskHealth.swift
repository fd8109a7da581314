import ObjectStore
import Logging
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FilePath

/// What is wrong with the disk. Each kind of trouble is told once; a cache that doesn't work is no reason to fill a log.
final class DiskHealth: Sendable {
    private struct State {
        /// Nothing is stored until then.
        var stoppedUntil: ContinuousClock.Instant?
        var hasWarnedOfFailure = false
        var hasWarnedOfDamage = false
        var damagedBlockCount = 0
    }

    /// How long not to try again after a failure: so short that a disk that was cleared is soon used again, so long that
    /// one that stays full costs nothing.
    static let pause: Duration = .seconds(60)

    private let path: FilePath
    private let logger: Logger
    private let state = Mutex(State())

    /// The health of the disk that `path` is on.
    init(of path: FilePath, logger: Logger) {
        self.path = path
        self.logger = logger
    }

    /// Whether to store anything now.
    var mayStore: Bool {
        state.withLock { state in
            guard let end = state.stoppedUntil else { return true }
            return ContinuousClock.now >= end
        }
    }

    /// How many blocks were found damaged since the start.
    var damagedBlockCount: Int {
        state.withLock { $0.damagedBlockCount }
    }

    /// Storing failed.
    func noteFailure(_ errno: Errno) {
        noteFailure("\(errno)")
    }

    /// Storing failed, for `reason`; there is none for a minute.
    func noteFailure(_ reason: String) {
        let isFirst = state.withLock { state in
            state.stoppedUntil = .now + DiskHealth.pause
            defer { state.hasWarnedOfFailure = true }
            return !state.hasWarnedOfFailure
        }
        let message: Logger.Message =
            "the disk cache in \(path) can't be written to (\(reason)): reading goes on without; free or repair the disk"
        logger.log(level: isFirst ? .warning : .debug, message)
    }

    /// Storing has worked.
    func noteSuccess() {
        let isBack = state.withLock { $0.stoppedUntil.take() != nil }
        if isBack { logger.info("the disk cache in \(path) is written to again") }
    }

    /// What the cache holds of `identity`'s object, or `index` of its blocks, is not what was written.
    func noteDamage(_ identity: CacheIdentity, block index: Int? = nil) {
        let isFirst = state.withLock { state in
            state.damagedBlockCount += 1
            defer { state.hasWarnedOfDamage = true }
            return !state.hasWarnedOfDamage
        }
        let what = index.map { "block \($0) of" } ?? "the index of"
        logger.log(
            level: isFirst ? .warning : .debug,
            """
            the disk cache in \(path) is damaged (\(what) \(identity.version.key)); fetched again; if it goes on, \
            check the disk
            """)
    }
}
