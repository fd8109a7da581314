/// Tells a loop that it did not run for a while, though it should have. Knows no clock.
public struct Pulse {
    /// A moment, as told by the two clocks of the system.
    public struct Reading: Sendable {
        let suspending: SuspendingClock.Instant
        let continuous: ContinuousClock.Instant

        /// The present moment.
        public static var now: Reading { Reading(suspending: .now, continuous: .now) }
    }

    /// A time in which the loop did not run.
    public struct Gap: Equatable {
        /// The part that the machine was not suspended for; empty where it was all the time.
        public let stopped: Range<SuspendingClock.Instant>
        /// All of it.
        public let duration: Duration
    }

    /// Shorter ones count as time: a busy machine keeps threads waiting too.
    public static let gapMin: Duration = .seconds(1)

    private var last: Reading

    /// A pulse that begins `now`.
    public init(_ now: Reading = .now) {
        last = now
    }

    /// The loop runs.
    ///
    /// - Parameter wait: The longest time that it meant to wait since the last beat.
    /// - Returns: The gap, where there was one.
    public mutating func beat(_ now: Reading = .now, after wait: Duration) -> Gap? {
        defer { last = now }
        let duration = now.continuous - last.continuous - wait
        guard duration >= Self.gapMin else { return nil }
        let start = min(last.suspending + wait, now.suspending)
        return Gap(stopped: start..<now.suspending, duration: duration)
    }
}
