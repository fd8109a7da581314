/// Watches an attempt for silence: says when nothing has come for longer than it should take.
struct Lateness {
    /// An answer that has begun is late when nothing comes for so many times as long as for its beginning: in the middle,
    /// lost packets and a crowded network make longer pauses than a slow store.
    static let stallMultiple = 4
    /// A connection that lost a packet needs 200 ms to find out (TCP_RTO_MIN of Linux, at both ends), and the round trip.
    static let stallMinimum: Duration = .milliseconds(400)

    /// How long the first bytes may take.
    private let lateAfter: Duration
    /// How many bytes had come at the last look.
    private var seenByteCount: Int
    /// When to look again.
    private(set) var lookInstant: ContinuousClock.Instant

    /// - Parameters:
    ///   - lateAfter: How long the first bytes may take, from `now` on.
    init(after lateAfter: Duration, now: ContinuousClock.Instant) {
        self.lateAfter = lateAfter
        seenByteCount = 0
        lookInstant = now + lateAfter
    }

    /// Looks, where it is time to.
    ///
    /// - Parameter byteCount: How many bytes the attempt has brought by now, its head included.
    /// - Returns: Whether none came since the last look.
    mutating func look(byteCount: Int, now: ContinuousClock.Instant) -> Bool {
        guard lookInstant <= now else { return false }
        let isSilent = byteCount == seenByteCount
        watch(from: now, byteCount: byteCount)
        return isSilent
    }

    /// Begins anew to wait for the next bytes.
    mutating func watch(from now: ContinuousClock.Instant, byteCount: Int) {
        seenByteCount = byteCount
        let hasBegun = byteCount > 0
        lookInstant = now + (hasBegun ? max(lateAfter * Self.stallMultiple, Self.stallMinimum) : lateAfter)
    }
}
