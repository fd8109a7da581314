import Glibc
import SystemSupport

/// Whether a dead server gets a successor. Knows no clock and no process.
///
/// A crash costs readers a pause. But a request that kills every server that takes it is handed to each successor, and a
/// server that can't start any more will not start the next time: neither may go on for ever, with readers waiting.
struct RestartPolicy {
    /// So many successors in a row that ended before they had taken over, and it is given up.
    static let failedStartLimit = 5
    /// So many servers in a row that died by their own doing soon after their start, and it is given up.
    static let crashLimit = 10
    /// How soon that is.
    static let soon: Duration = .seconds(10)
    /// How a program dies by its own doing: of what it has executed, not of somebody's kill(2).
    static let crashSignals: Set<Int32> = [SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE]

    private var failedStartCount = 0
    private var crashCount = 0

    /// What to do.
    enum Decision: Hashable {
        /// Start another one after a pause.
        case restart(after: Duration)
        /// End the mount, for this reason.
        case giveUp(String)
    }

    /// A server has died.
    ///
    /// - Parameters:
    ///   - end: How.
    ///   - servedFor: How long after it had begun to serve; `nil` where it hadn't.
    mutating func decide(after end: ChildProcess.End, servedFor: Duration?) -> Decision {
        guard let servedFor else {
            failedStartCount += 1
            if failedStartCount >= Self.failedStartLimit {
                return .giveUp("\(failedStartCount) servers in a row could not take over")
            }
            return .restart(after: .milliseconds(50 << failedStartCount))
        }
        failedStartCount = 0
        guard case .killed(let signal) = end, Self.crashSignals.contains(signal), servedFor < Self.soon else {
            crashCount = 0
            return .restart(after: .zero)
        }
        crashCount += 1
        if crashCount >= Self.crashLimit {
            return .giveUp("\(crashCount) servers in a row crashed soon after their start")
        }
        return .restart(after: .zero)
    }
}
