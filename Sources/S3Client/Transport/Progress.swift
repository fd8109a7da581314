/// Watches an attempt for progress: since when has nothing come that is worth the name?
struct Progress {
    /// Bytes that count as progress: less than the smallest segment of TCP that a line with traffic carries (1,220 bytes with IPv6's
    /// least MTU). A slow but honest line brings one of those at a time, however many transfers share it; a server that lets
    /// bytes drip doesn't come to it.
    static let byteCountMin = 1_024

    /// How many bytes have come, heads included.
    private(set) var byteCount = 0
    private var seenByteCount = 0
    /// When there was progress, as far as looks have told.
    private(set) var instant: ContinuousClock.Instant

    /// An attempt that begins `now`.
    init(now: ContinuousClock.Instant) {
        instant = now
    }

    /// So many bytes have come.
    mutating func receive(_ count: Int) {
        byteCount += count
    }

    /// A head has come, which is progress however short it is.
    mutating func receiveHead() {
        seenByteCount -= Progress.byteCountMin
    }

    /// Looks; to be done once a second, which is how exact `instant` is.
    ///
    /// - Returns: Whether there was progress since the last time that there was.
    mutating func look(now: ContinuousClock.Instant) -> Bool {
        guard byteCount - seenByteCount >= Progress.byteCountMin else { return false }
        seenByteCount = byteCount
        instant = now
        return true
    }
}
