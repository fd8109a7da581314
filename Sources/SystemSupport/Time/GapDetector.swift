/// Detects that a loop did not run for a while, although it should have. Has no clock of its own.
public struct GapDetector {
    /// A moment by both clocks of the system.
    public struct Reading: Sendable {
        let suspending: SuspendingClock.Instant
        let continuous: ContinuousClock.Instant

        /// The present moment.
        public static var now: Reading { Reading(suspending: .now, continuous: .now) }
    }

    /// A time in which the loop did not run.
    public struct Gap: Equatable {
        /// The part in which the machine was not suspended; empty if it was suspended all the time.
        public let stopped: Range<SuspendingClock.Instant>
        /// The length of the whole gap.
        public let duration: Duration
    }

    /// The length of the shortest gap. Shorter ones count as time: a busy machine keeps threads waiting too.
    public static let gapMin: Duration = .seconds(1)

    private var last: Reading

    /// Creates a detector for a loop that begins at `now`.
    public init(_ now: Reading = .now) {
        last = now
    }

    /// Records that the loop runs, and returns the gap since the last call, if there was one.
    ///
    /// - Parameter wait: The longest time that the loop meant to wait since the last call.
    public mutating func check(_ now: Reading = .now, after wait: Duration) -> Gap? {
        defer { last = now }
        let duration = now.continuous - last.continuous - wait
        guard duration >= Self.gapMin else { return nil }
        let start = min(last.suspending + wait, now.suspending)
        return Gap(stopped: start..<now.suspending, duration: duration)
    }
}
