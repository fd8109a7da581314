import Glibc

/// A thread that handles signals and does nothing else, so that a handler may call any function.
public enum SignalThread {
    /// Calls `body` with each signal of `numbers`, until it returns `false`. Call this before any other thread is
    /// started, because threads inherit the signal mask.
    public static func start(_ numbers: [CInt], _ body: @escaping @Sendable (CInt) -> Bool) {
        // Writing to a pipe or socket whose other end is closed then fails with EPIPE.
        signal(SIGPIPE, SIG_IGN)
        var signals = sigset_t()
        sigemptyset(&signals)
        for number in numbers { sigaddset(&signals, number) }
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        DetachedThread.start { [signals] in
            var signals = signals
            // Only these: a program that this thread starts by execve(2) inherits the mask.
            pthread_sigmask(SIG_SETMASK, &signals, nil)
            while true {
                var number: CInt = 0
                guard sigwait(&signals, &number) == 0 else { continue }
                if !body(number) { return }
            }
        }
    }
}
