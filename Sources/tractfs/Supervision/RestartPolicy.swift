import Glibc
import Logging
import SystemSupport

/// Whether a dead server gets a successor. Knows no clock and no process.
///
/// A crash costs readers a pause. But a request that kills every server that takes it is handed to each successor, and a
/// server that can't start any more will not start the next time: neither may go on for ever, with readers waiting.
struct RestartPolicy {
    /// So many successors in a row that ended before they had taken over, and it is given up.
    static let failedStartLimit = 5
    /// So many servers that died by their own doing soon after they had begun to serve, with none between them that lived longer
    /// or was killed, and it is given up.
    static let crashLimit = 10
    /// After so many that died so soon, of whatever, the next ones have to wait, ever longer: what kills them all (for want of
    /// memory, say) is no worse for the pauses, and others who use the machine are better off.
    static let earlyDeathLimit = 20
    /// The longest such pause.
    static let pauseMax: Duration = .seconds(1)
    /// How soon that is.
    static let soon: Duration = .seconds(10)
    /// How a program dies by its own doing: of what it has executed, not of somebody's kill(2).
    static let crashSignals: Set<Int32> = [SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE]

    private var failedStartCount = 0
    private var crashCount = 0
    private var earlyDeathCount = 0

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
        guard servedFor < Self.soon else {
            (crashCount, earlyDeathCount) = (0, 0)
            return .restart(after: .zero)
        }
        earlyDeathCount += 1
        guard case .killed(let signal) = end, Self.crashSignals.contains(signal) else {
            crashCount = 0
            return .restart(after: pause)
        }
        crashCount += 1
        if crashCount >= Self.crashLimit {
            return .giveUp("\(crashCount) servers in a row crashed soon after their start")
        }
        return .restart(after: pause)
    }

    private var pause: Duration {
        let count = earlyDeathCount - Self.earlyDeathLimit
        return count <= 0 ? .zero : min(.milliseconds(50 << min(count - 1, 10)), Self.pauseMax)
    }

    /// How loud it is told that the server that died last has a successor: of many deaths in a row, one in a hundred is.
    var logLevel: Logger.Level {
        earlyDeathCount <= Self.earlyDeathLimit || earlyDeathCount % 100 == 0 ? .warning : .debug
    }
}
