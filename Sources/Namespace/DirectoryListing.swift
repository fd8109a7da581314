import ObjectStore
import StateLog
import Synchronization

/// A snapshot of one directory: everything that is known of it, which expires at one time.
///
/// All users of a directory share its listing. Pages come from three sources: the directory's own pages, requested from
/// the end of the front on, for a reader or for the first lookup; pages aimed at one name; and pages that were
/// requested for other directories or prefetched (`DirectoryCache.absorb`). Of the first two kinds at most one request
/// is in flight, and all calls that need it wait for it. A failed page fails only these calls: known entries stay
/// known, and the next call sends a new request.
///
/// If the store turns out not to list in order (`StoreOrder`), the next use withdraws everything that was concluded
/// from the order, and the directory is collected page by page (`DirectoryListing+Unordered.swift`). Entries that
/// readers have received keep their indices.
final class DirectoryListing: Sendable {
    /// The directory's prefix: a key that ends in "/", or the empty one for a whole bucket.
    let prefix: Key
    /// The epoch in which the kernel began to keep a copy of the entries; 0 if it never did. The listing only stores
    /// it.
    let kernelCopyEpoch = Atomic<UInt64>(0)
    /// The time of the last use, in `DirectoryCache`'s count of uses.
    let lastUse = Atomic<Int>(0)
    /// The number of open directories that read this listing.
    private let readerCount = Atomic<Int>(0)
    /// The ID of the listing in the state log; 0 if there is none.
    let loggedID = Atomic<UInt64>(0)
    /// `true` if a former process began this listing: only the readers that continue from it use it.
    let isRestored: Bool
    /// `true` if the archive was already searched for a complete listing.
    let hasTriedArchive = Atomic<Bool>(false)
    let context: ListingContext
    private let state: Mutex<State>

    struct State {
        var entries: KnownEntries
        /// The entries in the order in which readers received them; `nil` if that is the order of `entries`.
        var given: KnownEntries?
        /// `true` if readers have received entries.
        var hasGivenEntries = false
        /// `true` if `entries` are concluded from the order of the store's listings.
        var restsOnOrder: Bool
        /// The pages so far, if the store doesn't list in order.
        var collected: CollectedPages?
        /// The time of the first request.
        var knownSince: ContinuousClock.Instant
        /// The continuation behind the last page of its own, if there is one.
        var cursor: PageCursor?
        /// `true` if another page had a key that an own page lacked. From then on only own pages count.
        var isContradicted = false
        /// `true` once a page of this directory has arrived: lookups then request single names instead of further
        /// pages.
        var hasFirstPage = false
        var isFetching = false
        /// The number of own pages that have arrived and are being processed.
        var arrivedCount = 0
        /// The callers that wait for the page in flight. At most as many as the kernel has requests in flight.
        var waiters: [Waiter] = []
        /// The read-ahead of numbered names, while there is a reader.
        var numbered: NumberedReadAhead?
        /// The index at which the last reader continued.
        var readerIndex = 0
        /// The callers that wait for pages aimed at names.
        var aims: [Name: [LookupCompletion]] = [:]
        /// The part of the listing that the log has.
        var logged = LoggedEntries()
    }

    enum Waiter {
        case lookup(Name, LookupCompletion)
        case entries(index: Int, EntriesCompletion)
    }

    typealias LookupCompletion = @Sendable (Result<ListedEntry?, StoreError>) -> Void
    typealias EntriesCompletion = @Sendable (Result<DirectorySlice, StoreError>) -> Void

    /// The memory of a listing besides its prefix and entries, in bytes: the object and its slot in a table.
    private static let overheadByteCount = 480

    /// Creates a snapshot that holds `entries` and began at `knownSince`.
    ///
    /// - Parameter restoredID: The id in the log, if a former process began the listing.
    init(
        prefix: Key, context: ListingContext, knownSince: ContinuousClock.Instant,
        entries: KnownEntries = KnownEntries(), restoredID: UInt64? = nil
    ) {
        self.prefix = prefix
        isRestored = restoredID != nil
        loggedID.store(restoredID ?? 0, ordering: .relaxed)
        self.context = context
        state = Mutex(
            State(
                entries: entries, hasGivenEntries: restoredID != nil,
                restsOnOrder: restoredID != nil || context.order.isTrusted, knownSince: knownSince,
                hasFirstPage: entries.isComplete))
        context.account.add(Self.overheadByteCount + prefix.bytes.count + entries.byteCount)
    }

    deinit {
        let byteCount = state.withLock { $0.entriesByteCount }
        context.account.subtract(Self.overheadByteCount + prefix.bytes.count + byteCount)
    }

    /// Calls `body` with the state, after withdrawing conclusions from an order that was disproved.
    func withState<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let isOrdered = context.order.isTrusted
        return state.withLock { state in
            if !isOrdered, state.restsOnOrder { context.account.add(state.withdraw()) }
            return body(&state)
        }
    }

    // MARK: Readers

    /// `true` while a directory that reads this listing is open.
    var isRead: Bool { readerCount.load(ordering: .relaxed) > 0 }

    /// Counts an open directory. Ends with `endReading`.
    func beginReading() { readerCount.add(1, ordering: .relaxed) }

    /// Subtracts a directory that was closed or that switched to another listing.
    func endReading() { readerCount.subtract(1, ordering: .relaxed) }

    // MARK: Known entries

    /// The time of the first request.
    var knownSince: ContinuousClock.Instant { withState { $0.knownSince } }

    /// The time at which the listing expires.
    var expiry: Expiry { context.timeToLive.expiry(from: knownSince) }

    /// `true` if all entries of the directory are known.
    var isComplete: Bool { withState { $0.entries.isComplete } }

    /// The number of settled entries: those that have an index.
    var entryCount: Int { withState { $0.indexed.settledCount } }

    /// Returns the index of the file `name`; `nil` if it isn't settled.
    func index(ofFile name: Name) -> Int? {
        withState { $0.indexed.index(of: name.bytes) }
    }

    /// Returns the settled entries among these indices.
    func listedEntries(in range: Range<Int>) -> [ListedEntry] {
        withState { state in
            var entries: [ListedEntry] = []
            while entries.count < range.count, let slice = state.indexed.entries(from: range.lowerBound + entries.count)
            {
                entries += slice.range.prefix(range.count - entries.count).map {
                    ListedEntry(block: slice.block, index: $0)
                }
            }
            return entries
        }
    }

    /// Returns the names of known subdirectories at or behind a sort key, in order, at most `limit`. Sends no request.
    /// There may be unknown ones between them.
    func knownSubdirectories(from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        withState { $0.entries.subdirectories(from: sortKey, limit: limit) }
    }

    /// Returns the first subdirectory at or behind `sortKey`, if everything before it is known.
    func nextSubdirectory(from sortKey: Key) -> KnownEntries.NextSubdirectory {
        withState { $0.entries.nextSubdirectory(from: sortKey) }
    }

    /// Returns the entry with a sort key: "name" for a file, "name/" for a directory.
    func entry(at sortKey: [UInt8]) -> KnownEntries.Answer {
        withState { $0.entries.entry(at: sortKey) }
    }

    /// All entries, in slices; `nil` if some are unknown.
    var completeSlices: [EntrySlice]? {
        withState { $0.entries.isComplete ? $0.entries.settledSlices : nil }
    }

    /// The blocks that hold the entries, each once.
    var blocks: [EntryBlock] {
        var known: Set<ObjectIdentifier> = []
        let all = withState { $0.entries.blocks + ($0.given?.blocks ?? []) + ($0.collected?.blocks ?? []) }
        return all.filter { known.insert(ObjectIdentifier($0)).inserted }
    }

    /// The approximate memory of the listing with its entries, in bytes.
    var byteCount: Int {
        let entriesByteCount = withState { $0.entriesByteCount }
        return Self.overheadByteCount + prefix.bytes.count + entriesByteCount
            + blocks.reduce(0) { $0 + $1.byteCount }
    }
}
