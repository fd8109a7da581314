import ObjectStore

/// Watches an attempt for progress: since when has nothing come that is worth the name?
struct Progress {
    /// Bytes that count as progress: less than the smallest segment of TCP that a line with traffic carries (1,220 bytes with IPv6's
    /// least MTU). A slow but honest line brings one of those at a time, however many transfers share it; a server that lets
    /// bytes drip doesn't come to it.
    static let byteCountMin = 1_024

    /// How many bytes have come, heads included.
    private(set) var byteCount = 0
    /// How many of them had come at `instant`.
    private var countedByteCount = 0
    /// When there was progress last; the attempt's beginning where there was none.
    private(set) var instant: RunningClock.Instant

    /// An attempt that begins `now`.
    init(now: RunningClock.Instant) {
        instant = now
    }

    /// Begins anew to count how long nothing comes.
    mutating func rest(at now: RunningClock.Instant) {
        instant = now
    }

    /// Whether anything has come.
    var hasBegun: Bool { byteCount > 0 }

    /// So many bytes have come. The first ones, of the head, are progress however few they are.
    mutating func receive(_ count: Int, now: RunningClock.Instant) {
        let isFirst = !hasBegun
        byteCount += count
        guard isFirst || byteCount - countedByteCount >= Progress.byteCountMin else { return }
        countedByteCount = byteCount
        instant = now
    }
}
