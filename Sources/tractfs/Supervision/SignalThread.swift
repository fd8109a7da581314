import Glibc
import SystemSupport

/// Signals, taken by one thread that does nothing else, so that what they set off may do anything.
enum SignalThread {
    /// Calls `body` with each signal of `numbers`, until it returns `false`. To be called before any other thread is started,
    /// since threads inherit which signals they leave to this one.
    static func start(_ numbers: [CInt], _ body: @escaping @Sendable (CInt) -> Bool) {
        // Pipes and sockets whose other side is gone are found out by what writing to them returns.
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
