public import Glibc

/// A point in time in UTC, to the nanosecond.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// The seconds since 1970-01-01T00:00:00Z.
    public let seconds: Int
    /// The nanoseconds of that second, 0 to 999,999,999.
    public let nanoseconds: Int

    /// The number of nanoseconds in a second.
    public static let nanosecondsPerSecond = 1_000_000_000

    /// Creates the point in time `seconds` and `nanoseconds` after the epoch.
    public init(seconds: Int, nanoseconds: Int = 0) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    /// Creates the point in time that a system call has returned.
    public init(_ time: timespec) {
        self.init(seconds: time.tv_sec, nanoseconds: time.tv_nsec)
    }

    /// The current time by the wall clock of this machine.
    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(time)
    }

    /// The time shown for an object whose time is missing or unreadable: 2000-01-01T00:00:00Z.
    public static let unknown = Timestamp(seconds: 946_684_800)

    /// Compares by time.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }

    /// Returns the time from `earlier` to this point; `nil` if `earlier` is later.
    public func age(of earlier: Timestamp) -> Duration? {
        if earlier > self { return nil }
        return .seconds(seconds - earlier.seconds) + .nanoseconds(nanoseconds - earlier.nanoseconds)
    }

    /// Returns the whole second `duration` before this point, rounded down.
    public func secondsBefore(_ duration: Duration) -> Timestamp {
        Timestamp(seconds: seconds - Int(duration.components.seconds) - 1)
    }
}

// MARK: - As one number

extension Timestamp {
    /// The nanoseconds since 1970, negative before; `nil` outside of the years 1678 to 2261, which 64 bits cover.
    public var nanosecondsSinceEpoch: Int64? {
        let (product, isTooFar) = seconds.multipliedReportingOverflow(by: Self.nanosecondsPerSecond)
        let (sum, isBeyond) = product.addingReportingOverflow(nanoseconds)
        return isTooFar || isBeyond ? nil : Int64(sum)
    }

    /// Creates the point in time `count` nanoseconds after the epoch, or before it if negative.
    public init(nanosecondsSinceEpoch count: Int64) {
        let (seconds, nanoseconds) = Int(count).quotientAndRemainder(dividingBy: Self.nanosecondsPerSecond)
        // Rounded down, so that the nanoseconds are not negative before 1970 either.
        self =
            nanoseconds < 0
            ? Timestamp(seconds: seconds - 1, nanoseconds: nanoseconds + Self.nanosecondsPerSecond)
            : Timestamp(seconds: seconds, nanoseconds: nanoseconds)
    }
}
