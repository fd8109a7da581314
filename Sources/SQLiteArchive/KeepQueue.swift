import DequeModule
import Namespace
import ObjectStore
import SystemSupport

/// What the archive's thread is still to do, in order, and bounded in bytes: what comes beyond that is dropped.
final class KeepQueue: Sendable {
    /// What the thread does in one go.
    enum Errand {
        /// Keep these, in one transaction.
        case keep([ArchivedListing])
        /// Forget the listings of these prefixes.
        case forget(KeyInterval)
        /// That was all.
        case end
    }

    fileprivate enum Item {
        case listing(ArchivedListing)
        case forgetting(KeyInterval)
    }

    fileprivate struct State {
        var items: Deque<Item> = []
        /// What the listings among them keep in memory.
        var byteCount = 0
        /// What is to be forgotten and is still in the database.
        var doomed: [KeyInterval] = []
        /// How often something was to be forgotten, or had been: what was read before that is worth nothing.
        var forgetCount: UInt64 = 0
        /// Whether the thread is at something that it took out.
        var isWorking = false
        /// What isn't done by then is dropped.
        var end: ContinuousClock.Instant?
    }

    /// A transaction has so many listings at the most, and none is added beyond so many bytes: it takes some milliseconds
    /// then, and other processes get their turn.
    fileprivate static let batchCount = 512
    fileprivate static let batchByteCount = 4 << 20

    /// So many intervals are kept apart that are still to be forgotten. Nobody refreshes as many folders while the disk is
    /// slow, but a script could.
    static let doomedCountMax = 256

    /// How long listings wait for others, in nanoseconds: a transaction costs as much as some tens of them.
    private static let patience = 100_000_000

    /// How long writing may go on at the end: as long as somebody at a terminal likes to wait.
    private static let endPatience: Duration = .seconds(2)

    /// What a listing takes that is queued, but for its prefix and its blocks.
    private static let itemByteCount = 200

    private let byteLimit: Int
    private let state = Monitor(State())

    /// A queue of at most `byteLimit` bytes, or of one listing.
    init(byteLimit: Int) {
        self.byteLimit = byteLimit
    }

    // MARK: Filling it

    /// Queues a listing, unless too much is.
    func keep(_ listing: ArchivedListing) {
        let byteCount = KeepQueue.byteCount(listing)
        state.change { state in
            guard state.end == nil, state.byteCount == 0 || state.byteCount + byteCount <= byteLimit else { return }
            state.byteCount += byteCount
            state.items.append(.listing(listing))
        }
    }

    /// Has all listings of `prefixes` forgotten that were queued before, or are in the database. Where very many are to be
    /// forgotten all are.
    func forget(_ prefixes: KeyInterval) {
        state.change { state in
            guard state.end == nil else { return }
            state.forgetCount += 1
            let prefixes = state.doomed.count < KeepQueue.doomedCountMax ? prefixes : .all
            if prefixes == .all, state.isAboutToForgetAll { return }
            state.items.append(.forgetting(prefixes))
            state.doomed.append(prefixes)
        }
    }

    /// How many are still to be forgotten.
    var doomedCount: Int { state.look { $0.doomed.count } }

    /// Nothing is queued from now on.
    func end() {
        state.change { $0.end = $0.end ?? .now + KeepQueue.endPatience }
    }

    fileprivate static func byteCount(_ listing: ArchivedListing) -> Int {
        listing.byteCount + listing.prefix.bytes.count + itemByteCount
    }

    // MARK: Emptying it

    /// Waits for something to do.
    func next() -> Errand {
        state.wait { state in state.items.isEmpty && state.end == nil ? nil : () }
        state.wait(nanoseconds: KeepQueue.patience) { state in
            state.end != nil || state.items.count >= KeepQueue.batchCount
                || state.byteCount >= KeepQueue.batchByteCount || !state.doomed.isEmpty
        }
        return state.change { state in
            if let end = state.end, state.items.isEmpty || ContinuousClock.now >= end { return .end }
            state.isWorking = true
            if case .forgetting(let prefixes) = state.items.first { return .forget(prefixes) }
            return .keep(state.takeBatch())
        }
    }

    /// The thread is done with what it took out last.
    ///
    /// - Parameter isForgotten: Whether it has forgotten something. Where that was to be done, and isn't, it is tried again.
    func finish(isForgotten: Bool = false) {
        state.change { state in
            state.isWorking = false
            guard isForgotten, case .forgetting(let prefixes) = state.items.popFirst() else { return }
            state.doomed.firstIndex(of: prefixes).map { _ = state.doomed.remove(at: $0) }
            state.forgetCount += 1
        }
    }

    /// Waits until all is done. For tests.
    func waitUntilDone() {
        state.wait { state in state.items.isEmpty && !state.isWorking ? () : nil }
    }

    // MARK: What is to be forgotten

    /// How often something was forgotten; `nil` if the listing of `prefix` is about to be.
    func forgetCount(unlessDoomed prefix: Key) -> UInt64? {
        state.look { state in
            state.doomed.contains { $0.contains(prefix) } ? nil : state.forgetCount
        }
    }
}

extension KeepQueue.State {
    /// Whether the last that is to be done is to forget all, and isn't under way: that may have passed what came since.
    fileprivate var isAboutToForgetAll: Bool {
        guard case .forgetting(.all) = items.last else { return false }
        return items.count > 1 || !isWorking
    }

    /// Takes out the listings that are kept next, together.
    fileprivate mutating func takeBatch() -> [ArchivedListing] {
        var (batch, batchByteCount) = ([ArchivedListing](), 0)
        while batch.count < KeepQueue.batchCount, batchByteCount < KeepQueue.batchByteCount,
            case .listing(let listing) = items.first
        {
            items.removeFirst()
            batch.append(listing)
            batchByteCount += KeepQueue.byteCount(listing)
        }
        byteCount -= batchByteCount
        return batch
    }
}
