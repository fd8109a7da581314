import ObjectStore
import Synchronization

/// Counts what one network thread sends and gets. That thread alone writes it, so nobody is waited for; whoever wants to
/// know reads it meanwhile.
///
/// Bytes come many times a request, and are added to an atomic. All else happens a few times a request, under a lock that
/// only somebody who reads it contends for.
final class RequestMeter: Sendable {
    private struct Kind: ~Copyable {
        let counts = Mutex(RequestCounts())
        let receivedByteCount = Atomic<Int>(0)
    }

    private let gets = Kind()
    private let lists = Kind()
    /// How many transfers there are.
    private let activeCount = Atomic<Int>(0)
    /// How many requests wait: for a transfer, for their next attempt, or for credentials.
    private let waitingCount = Atomic<Int>(0)
    /// How many transfers there may be now.
    private let activeCountMax = Atomic<Int>(0)

    /// Notes something of an operation's kind.
    func note(_ operation: any Operation, _ change: (inout RequestCounts) -> Void) {
        // Each by its own name: a lock can't be chosen first.
        switch operation.kind {
        case .list: lists.counts.withLock { change(&$0) }
        case .get: gets.counts.withLock { change(&$0) }
        }
    }

    /// Bytes of a body have come.
    func noteReceived(_ byteCount: Int, for operation: any Operation) {
        switch operation.kind {
        case .list: lists.receivedByteCount.add(byteCount, ordering: .relaxed)
        case .get: gets.receivedByteCount.add(byteCount, ordering: .relaxed)
        }
    }

    /// How much there is to do just now.
    func noteLoad(active: Int, waiting: Int, activeMax: Int) {
        activeCount.store(active, ordering: .relaxed)
        waitingCount.store(waiting, ordering: .relaxed)
        activeCountMax.store(activeMax, ordering: .relaxed)
    }

    /// Adds what this thread has counted.
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

/// What a client has sent and got since it began, and what it is at.
public struct ClientCounts: Sendable {
    /// Requests for bytes of objects.
    public internal(set) var gets = RequestCounts()
    /// Requests for pages of listings.
    public internal(set) var lists = RequestCounts()
    /// How many attempts are under way.
    public internal(set) var activeCount = 0
    /// How many requests wait: for a connection, for their next attempt, or for credentials.
    public internal(set) var waitingCount = 0
    /// How many attempts there may be at once: fewer than connections where the store asks for less traffic.
    public internal(set) var activeCountMax = 0
}
