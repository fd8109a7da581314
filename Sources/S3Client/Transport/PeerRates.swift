import ObjectStore
import SystemSupport

/// The rate that recent transfers of this network thread reach: those that began last, in flight or ended.
///
/// A cause that makes all of them slow (the line, a busy machine, a receiver that blocks the thread) also makes the
/// common rate low, so that no transfer counts as slow.
struct PeerRates {
    /// The number of transfers that count: those that began last. Slow transfers stay in flight while fast ones end, so
    /// those in flight alone would make slow ones look usual.
    static let countMax = 24
    /// The time for which a transfer counts after its end: earlier ones do not show the current state of the line.
    static let endedTime: Duration = .seconds(20)
    /// The minimum size of a body that counts: fewer bytes arrive in one piece, and do not show a rate.
    static let byteCountMin = 65_536
    /// The expected rate without other transfers, in bytes per second, since even the first one may be slow. On a line
    /// on which all are slower, this costs one hedge.
    static let assumed = 1e6
    /// One of this number of transfers may be as slow as the common rate, or slower.
    private static let percentileDivisor = 3

    /// The rate of a transfer, in bytes per second, and its start.
    typealias Sample = (rate: Double, start: RunningClock.Instant)

    private var ended: [(sample: Sample, instant: RunningClock.Instant)] = []
    /// The rate in bytes per second that two of three transfers reach; of two transfers, that of the faster one.
    private(set) var common = PeerRates.assumed

    /// Records a transfer that has ended.
    ///
    /// - Parameters:
    ///   - start: The start of the attempt.
    ///   - time: The time from its first bytes to its end.
    mutating func noteEnd(
        byteCount: Int, time: Duration, start: RunningClock.Instant, now: RunningClock.Instant
    ) {
        guard byteCount >= Self.byteCountMin else { return }
        if ended.count == Self.countMax { ended.removeFirst() }
        ended.append(((Double(byteCount) / (max(time, .milliseconds(1)) / .seconds(1)), start), now))
    }

    /// Updates the rate with the transfers in flight.
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
