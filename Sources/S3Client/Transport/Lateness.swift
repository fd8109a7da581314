/// Watches an attempt for silence: says when nothing has come for longer than it should take.
struct Lateness {
    /// An answer that has begun is late when nothing comes for so many times as long as for its beginning: in the middle,
    /// lost packets and a crowded network make longer pauses than a slow store.
    static let stallMultiple = 4
    /// A connection that lost a packet may need a second to find out (RFC 6298).
    static let stallMinimum: Duration = .seconds(1)

    /// How long the first bytes may take.
    private let lateAfter: Duration
    private let startByteCount: Int
    /// How many bytes had come at the last look.
    private var seenByteCount: Int
    /// When to look again.
    private(set) var lookInstant: ContinuousClock.Instant

    /// - Parameters:
    ///   - lateAfter: How long the first bytes may take, from `now` on.
    ///   - byteCount: How many bytes had come before.
    init(after lateAfter: Duration, byteCount: Int, now: ContinuousClock.Instant) {
        self.lateAfter = lateAfter
        startByteCount = byteCount
        seenByteCount = byteCount
        lookInstant = now + lateAfter
    }

    /// Looks, where it is time to.
    ///
    /// - Parameter byteCount: How many bytes have come by now.
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
        let hasBegun = byteCount > startByteCount
        lookInstant = now + (hasBegun ? max(lateAfter * Self.stallMultiple, Self.stallMinimum) : lateAfter)
    }
}
