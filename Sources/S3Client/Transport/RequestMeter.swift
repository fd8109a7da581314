import ObjectStore
import Synchronization

/// The counters of a network thread, which only this thread writes, while other threads may read them.
///
/// Bytes arrive many times a request, and are added to an atomic. All other counters change a few times a request,
/// under a lock that only readers contend for.
final class RequestMeter: Sendable {
    private struct Kind: ~Copyable {
        let counts = Mutex(RequestCounts())
        let receivedByteCount = Atomic<Int>(0)
    }

    private let gets = Kind()
    private let lists = Kind()
    /// The number of transfers.
    private let activeCount = Atomic<Int>(0)
    /// The number of requests that wait: for a transfer, for their next attempt, or for credentials.
    private let waitingCount = Atomic<Int>(0)
    /// The maximum number of transfers now.
    private let activeCountMax = Atomic<Int>(0)

    /// Changes the counts of an operation's kind.
    func note(_ operation: any Operation, _ change: (inout RequestCounts) -> Void) {
        // Each by its own name, since a noncopyable lock cannot be selected first.
        switch operation.kind {
        case .list: lists.counts.withLock { change(&$0) }
        case .get: gets.counts.withLock { change(&$0) }
        }
    }

    /// Records received bytes of a body.
    func noteReceived(_ byteCount: Int, for operation: any Operation) {
        switch operation.kind {
        case .list: lists.receivedByteCount.add(byteCount, ordering: .relaxed)
        case .get: gets.receivedByteCount.add(byteCount, ordering: .relaxed)
        }
    }

    /// Records the current load.
    func noteLoad(active: Int, waiting: Int, activeMax: Int) {
        activeCount.store(active, ordering: .relaxed)
        waitingCount.store(waiting, ordering: .relaxed)
        activeCountMax.store(activeMax, ordering: .relaxed)
    }

    /// Adds the counts of this thread.
    func add(to total: inout ClientCounts) {
        total.gets.add(RequestMeter.read(gets))
        total.lists.add(RequestMeter.read(lists))
        total.activeCount += activeCount.load(ordering: .relaxed)
        total.waitingCount += waitingCount.load(ordering: .relaxed)
        total.activeCountMax += activeCountMax.load(ordering: .relaxed)
    }

    private static func read(_ kind: borrowing Kind) -> RequestCounts {
        var counts = kind.counts.withLock { $0 }
        counts.receivedByteCount = kind.receivedByteCount.load(ordering: .relaxed)
        return counts
    }
}

/// The counts of a client since its start, and its current load.
public struct ClientCounts: Sendable {
    /// The requests for bytes of objects.
    public internal(set) var gets = RequestCounts()
    /// The requests for pages of listings.
    public internal(set) var lists = RequestCounts()
    /// The number of attempts in flight.
    public internal(set) var activeCount = 0
    /// The number of requests that wait: for a connection, for their next attempt, or for credentials.
    public internal(set) var waitingCount = 0
    /// The maximum number of attempts in flight: fewer than connections while the store throttles.
    public internal(set) var activeCountMax = 0
}
