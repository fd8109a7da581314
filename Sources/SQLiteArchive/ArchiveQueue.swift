import DequeModule
import Namespace
import ObjectStore
import SystemSupport

/// The ordered work of the archive's thread, bounded in bytes: listings beyond the bound are dropped.
final class ArchiveQueue: Sendable {
    /// A unit of work of the thread.
    enum Job {
        /// Listings to store, in one transaction.
        case store([ArchivedListing])
        /// An interval of prefixes whose listings to forget.
        case forget(KeyInterval)
        /// The end of the thread.
        case end
    }

    fileprivate enum Item {
        case listing(ArchivedListing)
        case forgetting(KeyInterval)
    }

    fileprivate struct State {
        var items: Deque<Item> = []
        /// The memory that the queued listings use.
        var byteCount = 0
        /// The intervals to forget that are still in the database.
        var doomed: [KeyInterval] = []
        /// The number of forget requests and completions. Listings read before the last one are invalid.
        var forgetCount: UInt64 = 0
        /// The thread is working on an item that it took.
        var isWorking = false
        /// The deadline after which remaining work is dropped.
        var end: ContinuousClock.Instant?
    }

    /// The limits of a transaction: the most listings, and the bytes at which no listing is added. It then takes some
    /// milliseconds then, and other processes get their turn.
    fileprivate static let batchCount = 512
    fileprivate static let batchByteCount = 4 << 20

    /// The most separate intervals to forget. No user refreshes as many folders while the disk is slow, but a script
    /// could.
    static let doomedCountMax = 256

    /// The time that listings wait for others: a transaction costs as much as some tens of listings.
    private static let gatherTime: Duration = .milliseconds(100)

    /// The time that writing may continue at the end: as long as a user at a terminal tolerates.
    private static let endTimeout: Duration = .seconds(2)

    /// The bytes of a queued listing, without its prefix and its blocks.
    private static let itemByteCount = 200

    private let byteLimit: Int
    private let state = Monitor(State())

    /// Creates a queue of at most `byteLimit` bytes, or of one listing.
    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    // MARK: Adding

    /// Queues a listing, unless the queue is full.
    func enqueue(_ listing: ArchivedListing) {
        let byteCount = ArchiveQueue.byteCount(listing)
        state.change { state in
            guard state.end == nil, state.byteCount == 0 || state.byteCount + byteCount <= byteLimit else { return }
            state.byteCount += byteCount
            state.items.append(.listing(listing))
        }
    }

    /// Forgets all listings of `prefixes` that are queued or in the database. If the intervals are too many, forgets
    /// all listings.
    func forget(_ prefixes: KeyInterval) {
        state.change { state in
            guard state.end == nil else { return }
            state.forgetCount += 1
            let prefixes = state.doomed.count < ArchiveQueue.doomedCountMax ? prefixes : .all
            if prefixes == .all, state.isAboutToForgetAll { return }
            state.items.append(.forgetting(prefixes))
            state.doomed.append(prefixes)
        }
    }

    /// The number of intervals still to be forgotten.
    var doomedCount: Int { state.look { $0.doomed.count } }

    /// Closes the queue: nothing is queued from now on.
    func end() {
        state.change { $0.end = $0.end ?? .now + ArchiveQueue.endTimeout }
    }

    fileprivate static func byteCount(_ listing: ArchivedListing) -> Int {
        listing.byteCount + listing.prefix.bytes.count + itemByteCount
    }

    // MARK: Taking

    /// Waits for work.
    func next() -> Job {
        state.wait { state in state.items.isEmpty && state.end == nil ? nil : () }
        state.wait(atMost: ArchiveQueue.gatherTime) { state in
            state.end != nil || state.items.count >= ArchiveQueue.batchCount
                || state.byteCount >= ArchiveQueue.batchByteCount || !state.doomed.isEmpty
        }
        return state.change { state in
            if let end = state.end, state.items.isEmpty || ContinuousClock.now >= end { return .end }
            state.isWorking = true
            if case .forgetting(let prefixes) = state.items.first { return .forget(prefixes) }
            return .store(state.takeBatch())
        }
    }

    /// Records that the thread has finished the work that it took last.
    ///
    /// - Parameter isForgotten: `true` if a forget succeeded. A failed one is retried.
    func finish(isForgotten: Bool = false) {
        state.change { state in
            state.isWorking = false
            guard isForgotten, case .forgetting(let prefixes) = state.items.popFirst() else { return }
            state.doomed.firstIndex(of: prefixes).map { _ = state.doomed.remove(at: $0) }
            state.forgetCount += 1
        }
    }

    /// Waits until all work is done. For tests.
    func waitUntilDone() {
        state.wait { state in state.items.isEmpty && !state.isWorking ? () : nil }
    }

    // MARK: Pending forgets

    /// Returns the forget count; `nil` if the listing of `prefix` is about to be forgotten.
    func forgetCount(unlessDoomed prefix: Key) -> UInt64? {
        state.look { state in
            state.doomed.contains { $0.contains(prefix) } ? nil : state.forgetCount
        }
    }
}

extension ArchiveQueue.State {
    /// `true` if the last queued item forgets all listings. One that is already running doesn't count: it may have
    /// passed newer listings.
    fileprivate var isAboutToForgetAll: Bool {
        guard case .forgetting(.all) = items.last else { return false }
        return items.count > 1 || !isWorking
    }

    /// Takes the next listings to store together.
    fileprivate mutating func takeBatch() -> [ArchivedListing] {
        var (batch, batchByteCount) = ([ArchivedListing](), 0)
        while batch.count < ArchiveQueue.batchCount, batchByteCount < ArchiveQueue.batchByteCount,
            case .listing(let listing) = items.first
        {
            items.removeFirst()
            batch.append(listing)
            batchByteCount += ArchiveQueue.byteCount(listing)
        }
        byteCount -= batchByteCount
        return batch
    }
}
