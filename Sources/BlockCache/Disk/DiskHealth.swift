import Logging
import Synchronization
import struct SystemPackage.Errno
import struct SystemPackage.FilePath

/// The health of the disk. Each kind of failure is logged once, so that a broken cache does not fill the log.
final class DiskHealth: Sendable {
    private struct State {
        /// Storing is suspended until then.
        var stoppedUntil: ContinuousClock.Instant?
        var hasWarnedOfFailure = false
        var hasWarnedOfDamage = false
        var damageCount = 0
    }

    /// The delay before the next try after a failure. Short enough that a disk with new free space is soon used again,
    /// long enough that a disk that stays full costs nothing.
    private static let usualPause: Duration = .seconds(60)

    private let path: FilePath
    private let pause: Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// The health of the disk that contains `path`.
    init(of path: FilePath, pause: Duration = usualPause, logger: Logger) {
        self.path = path
        self.pause = pause
        self.logger = logger
    }

    /// `true` if blocks may be stored now.
    var mayStore: Bool {
        state.withLock { state in
            guard let end = state.stoppedUntil else { return true }
            return ContinuousClock.now >= end
        }
    }

    /// The number of times damage was found since the start.
    var damageCount: Int {
        state.withLock { $0.damageCount }
    }

    /// Records that storing failed, and suspends it for a while.
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

    /// Records that storing succeeded.
    func noteSuccess() {
        let isBack = state.withLock { state in
            // A write that was in flight when the failure occurred does not count.
            guard let end = state.stoppedUntil, ContinuousClock.now >= end else { return false }
            state.stoppedUntil = nil
            return true
        }
        if isBack { logger.info("the disk cache in \(path) is written to again") }
    }

    /// Records that the cache contains bytes other than those written.
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
