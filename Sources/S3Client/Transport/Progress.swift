import ObjectStore
import SystemSupport

/// Measures what an attempt brings: since when it has been silent, and how fast its bytes come.
///
/// The rate is that of a *window*, which begins with the first bytes and anew with each verdict that the attempt is fast enough, so
/// that an attempt that becomes slow later is found as well.
struct Progress {
    /// The number of bytes that count as progress: less than the smallest segment of TCP that a line with traffic carries (1,220 bytes
    /// with IPv6's least MTU). A slow but honest line brings one of those at a time, however many transfers share it; a server
    /// that lets bytes drip doesn't come to it.
    static let byteCountMin = 1_024
    /// The shortest window: at S3's rate a part of 4 MiB takes as long. Where the store takes long to begin, which a line with long
    /// round trips makes it do, it is `hedgeDelay`: a new connection needs some round trips to become fast.
    static let windowMin: Duration = .milliseconds(50)
    /// The shortest window that others are compared with. What has just begun counts early, so that a line that is slow for all is seen.
    static let peerWindowMin: Duration = .milliseconds(20)
    /// The number of bytes that a peer brings in the shortest window: fewer come in gusts, and tell nothing.
    static let windowByteCountMin = 262_144
    /// An attempt is slow that needs so many times as long for the rest as a new request would: connections to S3 differ by a
    /// factor of two or three.
    static let slownessMultiple = 4

    /// The number of bytes that have come, heads included.
    private(set) var byteCount = 0
    /// How many of them had come at `instant`.
    private var countedByteCount = 0
    /// The instant of the last progress; the attempt's beginning where there was none.
    private(set) var instant: RunningClock.Instant
    private var windowStart: RunningClock.Instant
    /// The number of bytes that had come when the window began.
    private var windowStartByteCount = 0
    /// The rate of the window before this one.
    private var lastRate: Double?

    /// An attempt that begins `now`.
    init(now: RunningClock.Instant) {
        instant = now
        windowStart = now
    }

    /// Begins anew to measure silence and the rate.
    mutating func rest(at now: RunningClock.Instant) {
        instant = now
        windowStart = now
        windowStartByteCount = byteCount
    }

    /// Whether anything has come.
    var hasBegun: Bool { byteCount > 0 }

    /// So many bytes have come. The first ones, of the head, are progress however few they are.
    mutating func receive(_ count: Int, now: RunningClock.Instant) {
        let isFirst = !hasBegun
        byteCount += count
        if isFirst { windowStart = now }
        guard isFirst || byteCount - countedByteCount >= Progress.byteCountMin else { return }
        countedByteCount = byteCount
        instant = now
    }

    /// Returns the bytes per second of this window, or of the one before where this one has just begun.
    func rate(now: RunningClock.Instant) -> Double? {
        guard hasBegun, now - windowStart >= Self.peerWindowMin else { return lastRate }
        return Double(byteCount - windowStartByteCount) / ((now - windowStart) / .seconds(1))
    }

    /// Leaves out the time up to `now` in which this thread was busy or the process stopped: what didn't come then is no fault of
    /// the store's.
    mutating func passOver(_ gap: Duration, now: RunningClock.Instant) {
        windowStart = min(windowStart + gap, now)
        instant = min(instant + gap, now)
    }

    /// Judges the rate.
    ///
    /// - Parameters:
    ///   - missingByteCount: The number of bytes still to come.
    ///   - peerRate: The bytes per second that other transfers bring.
    ///   - hedgeDelay: The time in which a new request is expected to bring its first bytes.
    ///   - patience: How many times as long as usual a window must be.
    /// - Returns: Whether a new request would bring the rest several times as fast; `nil` where it is too early to tell.
    mutating func isSlow(
        missingByteCount: Int, peerRate: Double, hedgeDelay: Duration, patience: Int, now: RunningClock.Instant
    ) -> Bool? {
        let window = now - windowStart
        guard hasBegun, window >= max(Self.windowMin, hedgeDelay) * patience,
            peerRate * (window / .seconds(1)) >= Double(Self.windowByteCountMin)
        else { return nil }
        let rate = Double(byteCount - windowStartByteCount) / (window / .seconds(1))
        let missing = Double(missingByteCount)
        let secondsAnew = hedgeDelay / .seconds(1) + missing / peerRate
        // Multiplied, since the rate may be zero.
        if missing > Double(Self.slownessMultiple) * secondsAnew * rate { return true }
        lastRate = rate
        windowStart = now
        windowStartByteCount = byteCount
        return false
    }
}
