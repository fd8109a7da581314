/// What a network thread knows of one kind of request: when an answer is late, and what may be spent on it.
struct Hedging {
    var latency = LatencyEstimate()
    var budget = HedgeBudget()
}

/// Both kinds. They have nothing to do with each other: a listing takes S3 several times as long as the beginning of an object,
/// and costs several times as much.
struct HedgingByKind {
    private var gets = Hedging()
    private var lists = Hedging()

    /// That of the kind of `operation`.
    subscript(operation: any Operation) -> Hedging {
        get { operation.isListing ? lists : gets }
        _modify { if operation.isListing { yield &lists } else { yield &gets } }
    }
}
