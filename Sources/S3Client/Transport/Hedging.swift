import ObjectStore
import SystemSupport

/// The reason for a hedge: a second attempt beside one that is under way.
enum HedgeReason: CaseIterable {
    /// The response has not begun when most others have.
    case late
    /// Nothing has come for longer than responses pause.
    case stalled
    /// Bytes come far more slowly than those of other transfers.
    case slow
}

/// Decides for one network thread when requests of one kind are hedged, and how often: by what the store's responses take lately.
struct Hedging {
    var latency = LatencyEstimate()
    var rates = PeerRates()
    var budget = HedgeBudget()

    /// Returns the factor by which an attempt is given more time after so many hedges: a store that has just become slow makes all of
    /// them look silent, and no response would ever be waited for.
    static func patience(hedgeCount: Int) -> Int { 1 << min(max(hedgeCount - 1, 0), 8) }

    /// Returns the reason for which an attempt needs a hedge for its silence; `nil` where it doesn't.
    ///
    /// - Parameters:
    ///   - watchInstant: The instant from which on its silence counts.
    ///   - hedgeCount: The number of hedges that were sent for it already.
    func silenceReason(
        _ progress: Progress, since watchInstant: RunningClock.Instant, hedgeCount: Int, now: RunningClock.Instant
    ) -> HedgeReason? {
        let silence = now - max(progress.instant, watchInstant)
        if silence >= latency.pauseLimit * Self.patience(hedgeCount: hedgeCount) { return .stalled }
        return hedgeCount == 0 && !progress.hasBegun && silence >= latency.hedgeDelay ? .late : nil
    }
}

/// Both kinds. They have nothing to do with each other: a listing takes S3 several times as long as the beginning of an object,
/// and costs several times as much.
struct HedgingByKind {
    private var gets = Hedging()
    private var lists = Hedging()

    /// That of the kind.
    subscript(kind: RequestKind) -> Hedging {
        get { kind == .list ? lists : gets }
        _modify { if kind == .list { yield &lists } else { yield &gets } }
    }
}
