import Glibc

/// SIGTERM, SIGINT and SIGHUP, as a serving process takes them.
enum EndingSignals {
    /// Those, and what asks for making room.
    static let all = [SIGTERM, SIGINT, SIGHUP, Supervisor.upgradeSignal]

    /// Calls `end` at the first signal, `reopen`, if there is one, at each SIGHUP instead, and `handOver` at the signal that
    /// asks for that. A second SIGTERM or SIGINT ends the process as if it weren't handled. To be called before any other
    /// thread is started.
    static func handle(
        end: @escaping @Sendable () -> Void, reopen: (@Sendable () -> Void)?, handOver: @escaping @Sendable () -> Void
    ) {
        SignalThread.start(all) { signal in
            switch signal {
            case SIGHUP where reopen != nil:
                reopen?()
            case Supervisor.upgradeSignal:
                handOver()
            default:
                letThrough()
                end()
                return false
            }
            return true
        }
    }

    /// Gives the signals that end a process back their meaning, on this thread, which gets them then.
    private static func letThrough() {
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}
