import ObjectStore

/// The rate that transfers reach on this network thread just now: of those under way and of those that ended last.
///
/// What makes all of them slow (the line, a busy machine, a receiver that blocks the thread) makes the common rate low too, so
/// that none is slow beside the others.
struct PeerRates {
    /// How many of the last transfers count. A few that are slow at the same time must not look like the rule when the fast ones
    /// have ended; many that are slow at the same time must.
    static let endedCountMax = 8
    /// How long a transfer counts after its end: what was fast earlier tells nothing about the line as it is now.
    static let endedTime: Duration = .seconds(5)
    /// The smallest body that counts: fewer bytes come in one piece, and tell nothing about the rate.
    static let byteCountMin = 65_536
    /// Of so many transfers one may be as slow as the common rate, or slower.
    private static let percentileDivisor = 3

    private var ended: [(rate: Double, instant: RunningClock.Instant)] = []
    /// The bytes per second that two of three transfers reach; 0 where none is known.
    private(set) var common = 0.0

    /// Notes a transfer that has ended.
    ///
    /// - Parameter time: The time from its first bytes to its end.
    mutating func noteEnd(byteCount: Int, time: Duration, now: RunningClock.Instant) {
        guard byteCount >= Self.byteCountMin else { return }
        if ended.count == Self.endedCountMax { ended.removeFirst() }
        ended.append((Double(byteCount) / (max(time, .milliseconds(1)) / .seconds(1)), now))
    }

    /// Looks at all transfers, of which those under way have these rates.
    mutating func update(underWay: [Double], now: RunningClock.Instant) {
        let recent = ended.lazy.filter { now - $0.instant < Self.endedTime }.map(\.rate)
        let rates = (underWay + recent).sorted()
        common = rates.isEmpty ? 0 : rates[rates.count / Self.percentileDivisor]
    }
}
