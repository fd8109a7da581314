/// How many second requests may be sent, so that they stay few whatever the store does.
///
/// Those for answers that are merely late are one for every ten requests of the kind. An answer that is overdue will most
/// likely never come: for these there is more, one for every five.
struct HedgeBudget {
    /// One kind of second request.
    struct Allowance {
        /// How many requests bring one second request.
        let requestCountPerHedge: Int
        /// So many may be saved up, for answers that are late together.
        let hedgeCountMax: Int

        /// Requests that no second one has been spent on yet.
        private var requestCount: Int

        /// - Parameter firstHedgeCount: What there is before anything was earned: a stall among the first requests takes seconds as well.
        init(requestCountPerHedge: Int, hedgeCountMax: Int, firstHedgeCount: Int) {
            self.requestCountPerHedge = requestCountPerHedge
            self.hedgeCountMax = hedgeCountMax
            requestCount = firstHedgeCount * requestCountPerHedge
        }

        fileprivate mutating func earn() {
            requestCount = min(requestCount + 1, requestCountPerHedge * hedgeCountMax)
        }

        fileprivate mutating func spend() -> Bool {
            guard requestCount >= requestCountPerHedge else { return false }
            requestCount -= requestCountPerHedge
            return true
        }
    }

    /// 10 %: the slowest answers, which are one in twenty by what counts as late, and as many that stall. More would be load upon a
    /// store that is slow because of its load.
    static let forLate = Allowance(requestCountPerHedge: 10, hedgeCountMax: 4, firstHedgeCount: 2)
    /// 20 %: a stall costs a reader seconds, in which it would have made hundreds of requests.
    static let forOverdue = Allowance(requestCountPerHedge: 5, hedgeCountMax: 8, firstHedgeCount: 8)

    private var late = forLate
    private var overdue = forOverdue

    /// A request is sent for the first time.
    mutating func earn() {
        late.earn()
        overdue.earn()
    }

    /// Takes a second request out of the budget.
    ///
    /// - Parameter isOverdue: Whether it is for an answer that is not just late.
    /// - Returns: Whether there was one.
    mutating func spend(isOverdue: Bool) -> Bool {
        late.spend() || (isOverdue && overdue.spend())
    }
}
