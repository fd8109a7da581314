import Glibc

/// A set of signals in the form of proc(5): signal N is bit N - 1.
struct SignalSet: OptionSet, Hashable {
    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Creates the set of these signals.
    init(_ signals: [Int32]) {
        self.init(rawValue: signals.reduce(0) { $0 | 1 << UInt64($1 - 1) })
    }

    static let kill = SignalSet([SIGKILL])
    /// The signals that ask a program to stop.
    static let requestsToStop = SignalSet([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
    /// The signals that by default do not end a process (signal(7)): they are ignored, or stop or continue it.
    static let survivedByDefault = SignalSet([
        SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
    ])
}
