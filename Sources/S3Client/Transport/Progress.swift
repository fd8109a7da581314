import ObjectStore
import SystemSupport

/// The progress of an attempt: the time since its last bytes, and its rate.
///
/// The rate is that of a *window*, which begins with the first bytes, and again whenever the attempt is found fast
/// enough, so that an attempt that becomes slow later is found as well.
struct Progress {
    /// The number of bytes that count as progress: less than the smallest usual TCP segment (1,220 bytes with IPv6's
    /// minimum MTU). A slow line delivers one of those at a time, however many transfers share it; a server that sends
    /// single bytes does not reach it.
    static let byteCountMin = 1_024
    /// The minimum window: at S3's rate a part of 4 MiB takes as long. For a store that takes long to begin, as on a
    /// line with long round trips, it is half of the expected time to the first bytes: a new connection needs some
    /// round trips to become fast.
    static let windowMin: Duration = .milliseconds(50)
    /// The minimum window for the comparison of other transfers. It is short, so that a line that is slow for all is
    /// noticed.
    static let peerWindowMin: Duration = .milliseconds(20)
    /// The minimum number of bytes that a peer receives in a window: fewer arrive in bursts, and do not show a rate.
    static let windowByteCountMin = 262_144
    /// The multiple of a new request's time for the missing bytes from which on an attempt is slow: connections to S3
    /// differ by a factor of two or three.
    static let slownessMultiple = 4

    /// The number of received bytes, including heads.
    private(set) var byteCount = 0
    /// The number of bytes received at `instant`.
    private var countedByteCount = 0
    /// The time of the last progress; the start of the attempt if there was none.
    private(set) var instant: RunningClock.Instant
    /// The time from the start of the attempt to its first bytes; zero before them.
    private var beginning = Duration.zero
    private var windowStart: RunningClock.Instant
    /// The number of bytes received when the window began.
    private var windowStartByteCount = 0
    /// The rate of the previous window.
    private var lastRate: Double?

    /// Creates the progress of an attempt that starts `now`.
    init(now: RunningClock.Instant) {
        instant = now
        windowStart = now
    }

    /// Restarts the measurement of silence and of the rate.
    mutating func rest(at now: RunningClock.Instant) {
        instant = now
        windowStart = now
        windowStartByteCount = byteCount
    }

    /// `true` once bytes have been received.
    var hasBegun: Bool { byteCount > 0 }

    /// Records received bytes. The first ones, of the head, are progress however few they are.
    mutating func receive(_ count: Int, now: RunningClock.Instant) {
        let isFirst = !hasBegun
        byteCount += count
        if isFirst {
            beginning = now - windowStart
            windowStart = now
        }
        guard isFirst || byteCount - countedByteCount >= Progress.byteCountMin else { return }
        countedByteCount = byteCount
        instant = now
    }

    /// Returns the rate in bytes per second of this window, or of the previous one if this one has just begun.
    func rate(now: RunningClock.Instant) -> Double? {
        guard hasBegun, now - windowStart >= Self.peerWindowMin else { return lastRate }
        return Double(byteCount - windowStartByteCount) / ((now - windowStart) / .seconds(1))
    }

    /// Excludes a gap up to `now`, in which this thread was busy, from the time without a response: a busy machine
    /// makes stores on it late as well.
    mutating func passOver(_ gap: Duration, now: RunningClock.Instant) {
        if !hasBegun { instant = min(instant + gap, now) }
    }

    /// Compares the rate with that of other transfers.
    ///
    /// - Parameters:
    ///   - missingByteCount: The number of missing bytes.
    ///   - peerRate: The rate of other transfers, in bytes per second.
    ///   - hedgeDelay: The time after which a response counts as late. Before the first responses it is long, and the
    ///     attempt's own time to its first bytes tells more about a new request.
    ///   - timeoutFactor: The factor by which the window must be longer than usual.
    /// - Returns: `true` if a new request would be several times as fast; `nil` if it is too early to tell.
    mutating func isSlow(
        missingByteCount: Int, peerRate: Double, hedgeDelay: Duration, timeoutFactor: Int, now: RunningClock.Instant
    ) -> Bool? {
        let window = now - windowStart
        let beginningAnew = min(hedgeDelay, beginning * LatencyEstimate.medianMultipleMax)
        guard hasBegun, window >= max(Self.windowMin, beginningAnew / 2) * timeoutFactor,
            peerRate * (window / .seconds(1)) >= Double(Self.windowByteCountMin)
        else { return nil }
        let rate = Double(byteCount - windowStartByteCount) / (window / .seconds(1))
        let missing = Double(missingByteCount)
        let secondsAnew = beginningAnew / .seconds(1) + missing / peerRate
        // Multiplied, since the rate may be zero.
        if missing > Double(Self.slownessMultiple) * secondsAnew * rate { return true }
        lastRate = rate
        windowStart = now
        windowStartByteCount = byteCount
        return false
    }
}
