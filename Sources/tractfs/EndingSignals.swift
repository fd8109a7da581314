import SystemSupport
import Glibc

/// SIGTERM, SIGINT and SIGHUP, taken by one thread that does nothing else, so that what they set off may do anything.
enum EndingSignals {
    /// Calls `end` at the first signal, and `reopen`, if there is one, at each SIGHUP instead. A second SIGTERM or SIGINT
    /// ends the process as if it weren't handled. To be called before any other thread is started, since threads inherit
    /// which signals they leave to this one.
    static func handle(end: @escaping @Sendable () -> Void, reopen: (@Sendable () -> Void)?) {
        // Pipes and sockets whose other side is gone are found out by what writing to them returns.
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in [SIGTERM, SIGINT, SIGHUP] { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        DetachedThread.start { [signals] in
            var signals = signals
            while true {
                var number: CInt = 0
                guard sigwait(&signals, &number) == 0 else { continue }
                if number == SIGHUP, let reopen {
                    reopen()
                } else {
                    letThrough()
                    return end()
                }
            }
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
