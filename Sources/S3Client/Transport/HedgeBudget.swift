/// The budget of hedges, which keeps them few whatever the store does. Each request earns a part of a hedge.
struct HedgeBudget {
    /// The number of requests that earn the hedge of a stalled or slow response: at most 25 % more requests. Others are
    /// much faster at that time, so the store is not slow because of its load. If one request in ten drips, hedges
    /// included, a hedge for seven requests is often too few: the next slow part then takes seconds.
    static let requestCountPerHedge = 4
    /// The number of requests that earn the hedge of a late response, which costs milliseconds: at most 14 % more
    /// requests. More would be load for a store that is late because of its load.
    static let requestCountPerLateHedge = 7
    /// The maximum of saved requests, for responses that are stalled or slow together. They are available from the
    /// beginning, since a stall of one of the first requests takes seconds as well.
    static let requestCountMax = 64
    /// The number of saved requests that are reserved for stalled and slow responses, which cost seconds.
    static let reservedRequestCount = 36

    /// The number of requests whose hedges have not been spent.
    private var requestCount = requestCountMax

    /// Records the first attempt of a request.
    mutating func earn() { requestCount = min(requestCount + 1, Self.requestCountMax) }

    /// Returns `true` if the budget has a hedge for this reason.
    func allows(_ reason: HedgeReason) -> Bool {
        let reservedCount = reason == .late ? Self.reservedRequestCount : 0
        return requestCount >= Self.requestCount(for: reason) + reservedCount
    }

    /// Takes a hedge out of the budget.
    ///
    /// - Returns: `false` if the budget has none for this reason.
    @discardableResult
    mutating func spend(for reason: HedgeReason) -> Bool {
        guard allows(reason) else { return false }
        requestCount -= Self.requestCount(for: reason)
        return true
    }

    /// Returns a hedge that was dropped before it was sent.
    mutating func refund(_ reason: HedgeReason) {
        requestCount = min(requestCount + Self.requestCount(for: reason), Self.requestCountMax)
    }

    /// Returns the number of requests that earn a hedge.
    private static func requestCount(for reason: HedgeReason) -> Int {
        reason == .late ? requestCountPerLateHedge : requestCountPerHedge
    }
}
