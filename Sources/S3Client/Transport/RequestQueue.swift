internal import DequeModule

/// The ids of requests that wait for a free transfer: those that somebody waits for, oldest first, then those that are ahead
/// of their reader. Requests that have ended meanwhile are still in here.
struct RequestQueue {
    private var awaited: Deque<UInt64> = []
    private var ahead: Deque<UInt64> = []

    /// Whether nothing waits.
    var isEmpty: Bool { awaited.isEmpty && ahead.isEmpty }

    /// Queues a request up.
    mutating func append(_ exchange: Exchange) {
        if exchange.operation.isAhead { ahead.append(exchange.id) } else { awaited.append(exchange.id) }
    }

    /// The next request's id, taken out.
    mutating func popFirst() -> UInt64? {
        awaited.popFirst() ?? ahead.popFirst()
    }
}
