internal import DequeModule

/// The queue of requests that wait for a free transfer, by id: those that need a hedge, then those of readers, oldest
/// first, then prefetches. It may contain requests that have ended.
///
/// A reader may have reached a prefetch in the meantime, and then waits for it. So a prefetch sometimes goes first;
/// otherwise it would wait for as long as other requests keep all connections busy.
struct RequestQueue {
    /// The number of requests after which a prefetch goes first: a small part of the capacity, and enough for progress.
    private static let aheadInterval = 8

    /// The requests in flight that need a hedge.
    private var hedges: Deque<UInt64> = []
    private var awaited: Deque<UInt64> = []
    private var ahead: Deque<UInt64> = []
    /// The number of requests that were sent before the prefetches, since the last prefetch.
    private var overtakingCount = 0

    /// Adds a request.
    mutating func append(_ pending: PendingRequest) {
        if pending.operation.isAhead { ahead.append(pending.id) } else { awaited.append(pending.id) }
    }

    /// Adds a request in flight that needs a hedge.
    mutating func appendHedge(_ pending: PendingRequest) {
        hedges.append(pending.id)
    }

    /// Removes the next request, and returns its id.
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
