import Glibc
import Logging
import SystemSupport

/// The rules for restarting a dead server. Independent of clocks and processes.
///
/// A single crash costs readers a pause. But a request that kills each server that takes it goes to every successor,
/// and a server that can't start once will not start the next time. Neither may continue forever while readers wait.
struct RestartPolicy {
    /// The number of successors in a row that end before they have taken over, after which the mount ends.
    static let failedStartLimit = 5
    /// The number of crashes in a row within `earlyDeathAge` after which the mount ends. A server that lives longer, or
    /// is killed, restarts the count.
    static let crashLimit = 10
    /// The number of deaths in a row within `earlyDeathAge`, of whatever cause, after which restarts are delayed more
    /// and more. If their common cause is, for example, a lack of memory, the pauses help other users of the machine.
    static let earlyDeathLimit = 20
    /// The longest delay.
    static let pauseMax: Duration = .seconds(1)
    /// The age up to which a death counts as early.
    static let earlyDeathAge: Duration = .seconds(10)
    /// The signals of a crash, in contrast to kill(2) by another process.
    static let crashSignals: Set<Int32> = [SIGSEGV, SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE]

    private var failedStartCount = 0
    private var crashCount = 0
    private var earlyDeathCount = 0

    /// The consequence of a server's death.
    enum Decision: Hashable {
        /// Start another server after a pause.
        case restart(after: Duration)
        /// End the mount, for this reason.
        case giveUp(String)
    }

    /// Decides about a server that has died.
    ///
    /// - Parameters:
    ///   - end: The end of the process.
    ///   - servedFor: The time since it began to serve; `nil` if it never served.
    mutating func decide(after end: ChildProcess.End, servedFor: Duration?) -> Decision {
        guard let servedFor else {
            failedStartCount += 1
            if failedStartCount >= Self.failedStartLimit {
                return .giveUp("\(failedStartCount) servers in a row could not take over")
            }
            return .restart(after: .milliseconds(50 << failedStartCount))
        }
        failedStartCount = 0
        guard servedFor < Self.earlyDeathAge else {
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

    /// The level for logging the successor of the server that died last. Of many early deaths in a row, one in a
    /// hundred is a warning.
    var logLevel: Logger.Level {
        earlyDeathCount <= Self.earlyDeathLimit || earlyDeathCount % 100 == 0 ? .warning : .debug
    }
}
