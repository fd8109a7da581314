/// The budget of hedges, which keeps them few whatever the store does.
struct HedgeBudget {
    /// The number of requests that earn one hedge: at most 14 % more requests. That is enough for a store at which one
    /// request in ten is silent or slow, including hedges. More would be load for a store that is slow because of its
    /// load.
    static let requestCountPerHedge = 7
    /// The maximum number of saved hedges, for requests that are silent or slow together. They are available from the
    /// beginning, since a stall of one of the first requests takes seconds as well.
    static let hedgeCountMax = 12
    /// The number of hedges that are reserved for stalls, which cost seconds, while late responses cost milliseconds.
    static let reservedHedgeCount = 8

    /// The number of requests whose hedges have not been spent.
    private var requestCount = requestCountPerHedge * hedgeCountMax

    /// Records the first attempt of a request.
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

    /// Returns a hedge that was dropped before it was sent.
    mutating func refund() {
        requestCount = min(requestCount + Self.requestCountPerHedge, Self.requestCountPerHedge * Self.hedgeCountMax)
    }
}
