import Glibc

/// A set of signals, as proc(5) shows them: signal N is bit N - 1.
struct SignalSet: OptionSet, Hashable {
    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// The set of `signals`, by their numbers.
    init(_ signals: [Int32]) {
        self.init(rawValue: signals.reduce(0) { $0 | 1 << UInt64($1 - 1) })
    }

    static let kill = SignalSet([SIGKILL])
    /// The signals that ask a program to stop what it does.
    static let requestsToStop = SignalSet([SIGHUP, SIGINT, SIGQUIT, SIGTERM])
    /// The signals that don't end a process which neither catches nor ignores them (signal(7)): it ignores them, stops,
    /// or continues.
    static let survivedByDefault = SignalSet([
        SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU,
    ])
}
