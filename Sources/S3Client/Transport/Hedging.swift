import ObjectStore
import SystemSupport

/// The reason for a hedge, a second attempt beside one in flight.
enum HedgeReason: CaseIterable {
    /// The response has not begun although most others would have.
    case late
    /// The response has been silent for longer than usual pauses.
    case stalled
    /// The bytes arrive much more slowly than those of other transfers.
    case slow
}

/// Decides when a network thread hedges requests of one kind, and how often, from recent responses of the store.
/// `LatencyEstimate` has the delays, and `HedgeBudget` the number.
struct Hedging {
    var latency = LatencyEstimate()
    var rates = PeerRates()
    var budget = HedgeBudget()

    /// Returns the factor by which an attempt gets more time after a number of hedges. A store that has just become
    /// slow makes all attempts look silent, and no response would ever be waited for.
    static func timeoutFactor(hedgeCount: Int) -> Int { 1 << min(max(hedgeCount - 1, 0), 8) }

    /// Returns the reason for a hedge of a silent attempt; `nil` if it needs none.
    ///
    /// - Parameters:
    ///   - watchInstant: The time from which silence counts.
    ///   - hedgeCount: The number of hedges of this attempt so far.
    func silenceReason(
        _ progress: Progress, since watchInstant: RunningClock.Instant, hedgeCount: Int, now: RunningClock.Instant
    ) -> HedgeReason? {
        let silence = now - max(progress.instant, watchInstant)
        if silence >= latency.pauseLimit * Self.timeoutFactor(hedgeCount: hedgeCount) { return .stalled }
        return hedgeCount == 0 && !progress.hasBegun && silence >= latency.hedgeDelay ? .late : nil
    }
}

/// The hedging of both kinds of requests. They are independent: a listing takes S3 several times as long as the first
/// bytes of an object, and costs several times as much.
struct HedgingByKind {
    private var gets = Hedging()
    private var lists = Hedging()

    /// The hedging of a kind.
    subscript(kind: RequestKind) -> Hedging {
        get { kind == .list ? lists : gets }
        _modify { if kind == .list { yield &lists } else { yield &gets } }
    }
}
