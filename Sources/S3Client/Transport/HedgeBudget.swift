/// The number of hedges that may be sent, so that they stay few whatever the store does.
struct HedgeBudget {
    /// The number of requests that bring one hedge: 14 % more requests at most. That is enough for a store at which one request in ten is
    /// silent or slow, the hedges among them. More would be load upon a store that is slow because of its load.
    static let requestCountPerHedge = 7
    /// So many may be saved up, for requests that are silent or slow together. They are there from the beginning: a stall among
    /// the first requests takes seconds as well.
    static let hedgeCountMax = 12
    /// So many are not for responses that are merely late: that costs milliseconds, a stall seconds.
    static let reservedHedgeCount = 8

    /// Requests that no hedge has been spent on yet.
    private var requestCount = requestCountPerHedge * hedgeCountMax

    /// A request is sent for the first time.
    mutating func earn() {
        requestCount = min(requestCount + 1, Self.requestCountPerHedge * Self.hedgeCountMax)
    }

    /// Returns `true` if the budget has a hedge for this reason.
    func allows(_ reason: HedgeReason) -> Bool {
        let reservedCount = reason == .late ? Self.reservedHedgeCount : 0
        return requestCount >= Self.requestCountPerHedge * (reservedCount + 1)
    }

    /// Takes a hedge out of the budget.
    ///
    /// - Returns: `false` if the budget has none for this reason.
    @discardableResult
    mutating func spend(for reason: HedgeReason) -> Bool {
        guard allows(reason) else { return false }
        requestCount -= Self.requestCountPerHedge
        return true
    }

    /// A hedge was dropped before anything of it was sent.
    mutating func refund() {
        requestCount = min(requestCount + Self.requestCountPerHedge, Self.requestCountPerHedge * Self.hedgeCountMax)
    }
}
