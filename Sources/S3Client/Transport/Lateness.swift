/// Watches an attempt for silence: says when nothing has come for longer than it should take.
struct Lateness {
    /// An answer that has begun is late when nothing comes for so many times as long as for its beginning: in the middle,
    /// lost packets and a crowded network make longer pauses than a slow store.
    static let stallMultiple = 2
    /// A connection that lost a packet needs as long to find out (TCP_RTO_MIN of Linux).
    static let stallMinimum: Duration = .milliseconds(200)
    /// However slow the store is otherwise, an answer that has begun does not pause for so long.
    static let stallMaximum: Duration = .seconds(1)

    /// How long the first bytes may take.
    private let lateAfter: Duration
    /// How long they take if they will not come, as far as the store's other answers tell.
    private let overdueAfter: Duration
    /// How many bytes had come at the last look that saw some.
    private var seenByteCount = 0
    /// Since when there has been silence, as far as looks have told.
    private var silentSince: ContinuousClock.Instant
    /// When to look again.
    private(set) var lookInstant: ContinuousClock.Instant

    /// - Parameters:
    ///   - lateAfter: How long the first bytes may take, from `now` on.
    ///   - overdueAfter: How long they take if they will not come, as far as the store's other answers tell.
    init(after lateAfter: Duration, overdueAfter: Duration, now: ContinuousClock.Instant) {
        self.lateAfter = lateAfter
        self.overdueAfter = overdueAfter
        silentSince = now
        lookInstant = now + lateAfter
    }

    /// How long a pause may be once the answer has begun.
    private var stallLimit: Duration {
        max(min(lateAfter * Self.stallMultiple, Self.stallMaximum), Self.stallMinimum)
    }

    /// Looks, where it is time to.
    ///
    /// - Parameter byteCount: How many bytes the attempt has brought by now, its head included.
    /// - Returns: Whether there has been silence for too long. Then it is time again after as long a silence.
    mutating func look(byteCount: Int, now: ContinuousClock.Instant) -> Bool {
        guard lookInstant <= now else { return false }
        guard Lateness.isSilence(from: seenByteCount, to: byteCount) else {
            watch(from: now, byteCount: byteCount)
            return false
        }
        let hasBegun = byteCount > 0
        // Twice within the limit, so that a pause is noticed before it is much longer.
        lookInstant = now + (hasBegun ? stallLimit / 2 : lateAfter)
        return now - silentSince >= (hasBegun ? stallLimit : lateAfter)
    }

    /// Whether next to nothing has come between two looks at how much had. Bytes that drip are no answer; its first ones are,
    /// however few.
    static func isSilence(from seenByteCount: Int, to byteCount: Int) -> Bool {
        byteCount == 0 || (seenByteCount > 0 && byteCount - seenByteCount < Progress.byteCountMin)
    }

    /// Whether the silence has lasted for so long that it can't be called late any more.
    func isOverdue(now: ContinuousClock.Instant) -> Bool {
        now - silentSince >= max(lateAfter, stallLimit, min(overdueAfter, Self.stallMaximum))
    }

    /// Begins anew to wait for the next bytes.
    mutating func watch(from now: ContinuousClock.Instant, byteCount: Int) {
        seenByteCount = byteCount
        silentSince = now
        lookInstant = now + (byteCount > 0 ? stallLimit / 2 : lateAfter)
    }
}
