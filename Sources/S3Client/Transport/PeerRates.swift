import ObjectStore
import SystemSupport

/// The rate that transfers reach on this network thread just now: of those that began last, in flight or ended.
///
/// What makes all of them slow (the line, a busy machine, a receiver that blocks the thread) makes the common rate low too, so
/// that none is slow beside the others.
struct PeerRates {
    /// The number of transfers that count: those that began last. Slow ones stay in flight while fast ones end, so those in flight
    /// alone would make the slow ones look like the rule.
    static let countMax = 24
    /// The time for which a transfer counts after its end: what was fast earlier tells nothing about the line as it is now.
    static let endedTime: Duration = .seconds(20)
    /// The smallest body that counts: fewer bytes come in one piece, and tell nothing about the rate.
    static let byteCountMin = 65_536
    /// The rate that a transfer is expected to reach while there is none to compare it with, in bytes per second: the first one of
    /// all may be slow. A line on which all are slower costs one hedge by this.
    static let assumed = 1e6
    /// Of so many transfers one may be as slow as the common rate, or slower.
    private static let percentileDivisor = 3

    /// The rate of a transfer, in bytes per second, and its beginning.
    typealias Sample = (rate: Double, start: RunningClock.Instant)

    private var ended: [(sample: Sample, instant: RunningClock.Instant)] = []
    /// The bytes per second that two of three transfers reach; of two, the faster one's.
    private(set) var common = PeerRates.assumed

    /// Notes a transfer that has ended.
    ///
    /// - Parameters:
    ///   - start: The beginning of the attempt.
    ///   - time: The time from its first bytes to its end.
    mutating func noteEnd(
        byteCount: Int, time: Duration, start: RunningClock.Instant, now: RunningClock.Instant
    ) {
        guard byteCount >= Self.byteCountMin else { return }
        if ended.count == Self.countMax { ended.removeFirst() }
        ended.append(((Double(byteCount) / (max(time, .milliseconds(1)) / .seconds(1)), start), now))
    }

    /// Looks at the transfers that began last, some of which are these in flight.
    mutating func update(inFlight: [Sample], now: RunningClock.Instant) {
        let recent = ended.filter { now - $0.instant < Self.endedTime }.map(\.sample)
        let last = (inFlight + recent).sorted { $0.start > $1.start }.prefix(Self.countMax)
        let rates = last.map(\.rate).sorted()
        switch rates.count {
        case 0, 1: common = max(rates.first ?? 0, Self.assumed)
        case 2: common = rates[1]
        default: common = rates[rates.count / Self.percentileDivisor]
        }
    }
}
