import Glibc
import SystemSupport

/// SIGTERM, SIGINT, SIGHUP and the request for a handover, as handled by a server.
package enum TerminationSignals {
    /// The signals.
    static let all = [SIGTERM, SIGINT, SIGHUP, Supervisor.upgradeSignal]

    /// Handles the signals on a thread. Call this before any other thread is started.
    ///
    /// - Parameters:
    ///   - end: Called at the first SIGTERM, SIGINT or SIGHUP. A second SIGTERM or SIGINT ends the process at once.
    ///   - reopen: Called at SIGHUP instead of `end`, unless `nil`.
    ///   - handOver: Called at the request for a handover.
    package static func handle(
        end: @escaping @Sendable () -> Void, reopen: (@Sendable () -> Void)?, handOver: @escaping @Sendable () -> Void
    ) {
        SignalThread.start(all) { signal in
            switch signal {
            case SIGHUP where reopen != nil:
                reopen?()
            case Supervisor.upgradeSignal:
                handOver()
            default:
                restoreDefaults()
                end()
                return false
            }
            return true
        }
    }

    /// Unblocks SIGTERM and SIGINT on this thread, so that they end the process.
    private static func restoreDefaults() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
