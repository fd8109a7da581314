/// How many second requests may be sent: one for every twenty GETs, so that they are never more than 5 % extra, whatever
/// the store does.
struct HedgeBudget {
    /// 5 %: what the slowest answers are worth. More would be load upon a store that is slow because of its load.
    static let getCountPerHedge = 20
    /// So many may be saved up, for answers that are late together.
    static let hedgeCountMax = 4

    /// GETs that no second request has been spent on yet.
    private var getCount = 0

    /// A GET is sent for the first time.
    mutating func earn() {
        getCount = min(getCount + 1, Self.getCountPerHedge * Self.hedgeCountMax)
    }

    /// Takes a second request out of the budget.
    ///
    /// - Returns: Whether there was one.
    mutating func spend() -> Bool {
        guard getCount >= Self.getCountPerHedge else { return false }
        getCount -= Self.getCountPerHedge
        return true
    }
}
