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
        var damageCount = 0
    }

    /// How long not to try again after a failure: so short that a disk that was cleared is soon used again, so long that
    /// one that stays full costs nothing.
    private static let usualPause: Duration = .seconds(60)

    private let path: FilePath
    private let pause: Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// The health of the disk that `path` is on.
    init(of path: FilePath, pause: Duration = usualPause, logger: Logger) {
        self.path = path
        self.pause = pause
        self.logger = logger
    }

    /// Whether to store anything now.
    var mayStore: Bool {
        state.withLock { state in
            guard let end = state.stoppedUntil else { return true }
            return ContinuousClock.now >= end
        }
    }

    /// How often something was found damaged since the start.
    var damageCount: Int {
        state.withLock { $0.damageCount }
    }

    /// Storing failed; there is none for a while.
    func noteFailure(_ errno: Errno) {
        let isFirst = state.withLock { state in
            state.stoppedUntil = .now + pause
            defer { state.hasWarnedOfFailure = true }
            return !state.hasWarnedOfFailure
        }
        let message: Logger.Message =
            "the disk cache in \(path) can't be written to (\(errno)): reading goes on without; free or repair the disk"
        logger.log(level: isFirst ? .warning : .debug, message)
    }

    /// Storing has worked.
    func noteSuccess() {
        let isBack = state.withLock { state in
            // Not so what was under way when it failed.
            guard let end = state.stoppedUntil, ContinuousClock.now >= end else { return false }
            state.stoppedUntil = nil
            return true
        }
        if isBack { logger.info("the disk cache in \(path) is written to again") }
    }

    /// Something that the cache holds is not what was written.
    func noteDamage(_ what: String) {
        let isFirst = state.withLock { state in
            state.damageCount += 1
            defer { state.hasWarnedOfDamage = true }
            return !state.hasWarnedOfDamage
        }
        logger.log(
            level: isFirst ? .warning : .debug,
            "the disk cache in \(path) is damaged (\(what)); fetched again; if it goes on, check the disk")
    }
}
