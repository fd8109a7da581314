internal import DequeModule

/// The ids of requests that wait for a free transfer: those that need a hedge, then those that a read waits for, oldest
/// first, then those that are ahead of their reader. Requests that have ended meanwhile are still in here.
///
/// The reader of what is ahead may have come to it meanwhile, and then waits too. So now and then one of these goes first,
/// or it would wait for as long as others keep all connections busy.
struct RequestQueue {
    /// Every so many requests one that is ahead goes first: little of what those who wait get, and enough to move on.
    private static let aheadInterval = 8

    /// Requests that are under way, and need a hedge.
    private var hedges: Deque<UInt64> = []
    private var awaited: Deque<UInt64> = []
    private var ahead: Deque<UInt64> = []
    /// How many requests have gone before those that are ahead, since one of these went.
    private var overtakingCount = 0

    /// Queues a request up.
    mutating func append(_ exchange: Exchange) {
        if exchange.operation.isAhead { ahead.append(exchange.id) } else { awaited.append(exchange.id) }
    }

    /// Queues a request up that is under way, for a hedge.
    mutating func appendHedge(_ exchange: Exchange) {
        hedges.append(exchange.id)
    }

    /// The next request's id, taken out.
    mutating func popFirst() -> UInt64? {
        if let id = hedges.popFirst() { return id }
        if !ahead.isEmpty, awaited.isEmpty || overtakingCount >= Self.aheadInterval {
            overtakingCount = 0
            return ahead.popFirst()
        }
        overtakingCount = ahead.isEmpty ? 0 : overtakingCount + 1
        return awaited.popFirst()
    }
}
