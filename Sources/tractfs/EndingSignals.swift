import Glibc

/// SIGTERM, SIGINT and SIGHUP, taken by one thread that does nothing else, so that what they set off may do anything.
enum EndingSignals {
    /// Calls `end` at the first SIGTERM or SIGINT, and `reopen` at each SIGHUP. To be called before any other thread is
    /// started, since threads inherit which signals they leave to this one.
    static func handle(end: @escaping @Sendable () -> Void, reopen: @escaping @Sendable () -> Void) {
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
                if number == SIGHUP { reopen() } else { return end() }
            }
        }
    }
}
