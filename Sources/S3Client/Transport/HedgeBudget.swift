/// How many second requests may be sent: one for every twenty requests of the kind, and a few to begin with, so that they are
/// hardly more than 5 % extra, whatever the store does.
struct HedgeBudget {
    /// 5 %: what the slowest answers are worth. More would be load upon a store that is slow because of its load.
    static let requestCountPerHedge = 20
    /// So many may be saved up, for answers that are late together.
    static let hedgeCountMax = 4

    /// What there is before anything was earned: a stall among the first requests takes seconds as well.
    static let firstHedgeCount = 2

    /// Requests that no second one has been spent on yet.
    private var requestCount = firstHedgeCount * requestCountPerHedge

    /// A request is sent for the first time.
    mutating func earn() {
        requestCount = min(requestCount + 1, Self.requestCountPerHedge * Self.hedgeCountMax)
    }

    /// Takes a second request out of the budget.
    ///
    /// - Returns: Whether there was one.
    mutating func spend() -> Bool {
        guard requestCount >= Self.requestCountPerHedge else { return false }
        requestCount -= Self.requestCountPerHedge
        return true
    }
}
