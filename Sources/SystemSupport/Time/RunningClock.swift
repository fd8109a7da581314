import Synchronization

/// A clock that stands still while this process can't run: while the machine is suspended, and in detected gaps, in
/// which the process was stopped (SIGSTOP) or frozen (the cgroup freezer).
///
/// Deadlines, waits and limits of silence count by it: time in which this process did not listen is not the store's
/// fault. Expiries count by `ContinuousClock`, which never stands still.
public enum RunningClock {
    /// A moment of the clock.
    public struct Instant: InstantProtocol {
        fileprivate let sinceOrigin: Duration

        /// The present moment.
        public static var now: Instant { RunningClock.now }

        /// Returns the moment `duration` later.
        public func advanced(by duration: Duration) -> Instant { Instant(sinceOrigin: sinceOrigin + duration) }

        /// Returns the time from this instant to `other`.
        public func duration(to other: Instant) -> Duration { other.sinceOrigin - sinceOrigin }

        /// Compares by time.
        public static func < (left: Instant, right: Instant) -> Bool { left.sinceOrigin < right.sinceOrigin }

        /// Returns the moment `duration` later.
        public static func + (instant: Instant, duration: Duration) -> Instant { instant.advanced(by: duration) }

        /// Returns the moment `duration` earlier.
        public static func - (instant: Instant, duration: Duration) -> Instant {
            instant.advanced(by: .zero - duration)
        }

        /// Returns the time from the right instant to the left one.
        public static func - (left: Instant, right: Instant) -> Duration { right.duration(to: left) }
    }

    /// An arbitrary moment in the past.
    private static let origin = SuspendingClock.now
    /// The gaps so far.
    private static let gaps = Mutex(Gaps())
    /// Their total length in nanoseconds, readable without the lock.
    private static let skipped = Atomic<Int64>(0)

    /// The present moment.
    public static var now: Instant {
        Instant(
            sinceOrigin: origin.duration(to: .now) - .nanoseconds(skipped.load(ordering: .relaxed)))
    }

    /// Takes a gap out of the clock's time. Several threads may detect the same gap.
    public static func skip(_ gap: Range<SuspendingClock.Instant>) {
        gaps.withLock { gaps in
            gaps.note(origin.duration(to: gap.lowerBound)..<origin.duration(to: gap.upperBound))
            skipped.store(Int64(gaps.total / .nanoseconds(1)), ordering: .relaxed)
        }
    }

    /// Gaps, each of which counts once.
    struct Gaps {
        private(set) var total: Duration = .zero
        /// The end of the last gap.
        private var end: Duration?

        mutating func note(_ gap: Range<Duration>) {
            let start = end.map { max($0, gap.lowerBound) } ?? gap.lowerBound
            guard start < gap.upperBound else { return }
            total += gap.upperBound - start
            end = gap.upperBound
        }
    }
}
