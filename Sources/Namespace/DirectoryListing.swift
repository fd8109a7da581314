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
    private let loggedID = Atomic<UInt64>(0)
    /// `true` if a former process began this listing: only the readers that continue from it use it.
    private let isRestored: Bool
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

    // MARK: State for the next process

    /// The id in the log; 0 if there is no log.
    var logID: UInt64 {
        guard let log = context.log?.log else { return 0 }
        let known = loggedID.load(ordering: .relaxed)
        if known != 0 { return known }
        let made = log.makeID()
        let (isMine, other) = loggedID.compareExchange(expected: 0, desired: made, ordering: .relaxed)
        return isMine ? made : other
    }

    /// Writes the settled entries to the log that it lacks, so that a reader that continues in the next process finds
    /// them at the same indices.
    func writeEntries() {
        guard let log = context.log else { return }
        let id = logID
        withState { state in
            // Entries in the log keep their indices, like those that readers received.
            if state.indexed.settledCount > 0 { state.hasGivenEntries = true }
            state.logged.write(state.indexed, of: id, to: log)
        }
    }

    // MARK: Lookups and readers

    /// Looks up `name`; the result is `nil` if there is no such entry. Requests the directory's first page, which also
    /// answers lookups of neighbors, and later only the names that it didn't cover.
    ///
    /// - Returns: `true` if this call requests the directory's first page.
    @discardableResult
    func lookup(_ name: Name, completion: @escaping LookupCompletion) -> Bool {
        enum Step {
            case answer(ListedEntry?)
            case wait
            case fetchPage
            case aim
        }
        let step = withState { state -> Step in
            switch state.entries.answer(for: name) {
            case .present(let entry): return .answer(entry)
            case .absent: return .answer(nil)
            case .unknown: break
            }
            guard state.hasFirstPage else {
                state.waiters.append(.lookup(name, completion))
                return state.beginFetching() ? .fetchPage : .wait
            }
            return state.aim(at: name, for: completion) ? .aim : .wait
        }
        switch step {
        case .answer(let entry): completion(.success(entry))
        case .wait: break
        case .fetchPage: fetchPage()
        case .aim: aim(at: name)
        }
        if case .fetchPage = step { return true }
        return false
    }

    /// Returns the entries from `index` on: the known ones, or those of the next page. If they are the last known ones,
    /// the next page is requested at once, since readers read whole directories.
    func entries(from index: Int, completion: @escaping EntriesCompletion) {
        let (slice, mustFetch) = withState { state -> (DirectorySlice?, Bool) in
            state.readerIndex = index
            if let slice = state.slice(from: index) {
                let isLast = index + slice.count == state.indexed.settledCount
                return (slice, isLast && !state.indexed.isComplete && state.beginFetching())
            }
            state.waiters.append(.entries(index: index, completion))
            return (nil, state.beginFetching())
        }
        // Before the completion, which may take a while.
        if mustFetch { fetchPage() }
        prefetchNumbered()
        if let slice { completion(.success(slice)) }
    }

    /// The position of the reader, if pages may be prefetched for it.
    var numberedPosition: NumberedReadAhead.ReadPosition? {
        withState { $0.numberedPosition }
    }

    private func prefetchNumbered() {
        let (numbered, position) = withState { ($0.numbered, $0.numberedPosition) }
        if let numbered, let position { numbered.proceed(position, of: self) }
    }

    // MARK: Pages of other origin

    /// Adds the unknown part of a page to the entries, and completes the calls that waited for it.
    ///
    /// - Parameters:
    ///   - requestedAt: The time of the page's request. The snapshot becomes no younger than that.
    ///   - ownPage: The page, if it is one of this very directory.
    func absorb(_ coverage: DirectoryCoverage, requestedAt: ContinuousClock.Instant, ownPage: PageCoverage?) {
        let outcome = withState { state -> Outcome in
            if state.entries.isComplete || !state.restsOnOrder { return Outcome() }
            state.knownSince = min(state.knownSince, requestedAt)
            guard let ownPage else { return state.absorbOthers(coverage) }
            state.hasFirstPage = true
            let outcome = state.absorb(coverage)
            state.noteEnd(of: ownPage, below: prefix)
            return outcome
        }
        finish(outcome, hidden: coverage.hidden)
    }

    /// Adds a prefetched page of this directory.
    func absorb(_ page: PageCoverage) {
        guard let coverage = page.coverage(of: prefix, account: context.account) else { return }
        finish(withState { $0.absorbOthers(coverage) }, hidden: coverage.hidden)
    }

    // MARK: Pages of the directory

    /// Requests the next page, after the caller has called `beginFetching`. If a page that may cover it is already in
    /// flight for another purpose, waits for that one instead, and for its successors as long as each extends the
    /// front.
    ///
    /// - Parameters:
    ///   - sortKey: The beginning of the page; by default the end of the front.
    ///   - waited: The sort key at which the last wait for another page began.
    func fetchPage(from sortKey: Key? = nil, waitedAt waited: Key? = nil) {
        guard context.order.isTrusted else { return collectPage() }
        let sortKey = sortKey ?? withState { $0.entries.frontEnd ?? .empty }
        if sortKey != waited, !withState({ $0.isContradicted }) {
            let next = prefix.appending(sortKey.bytes)
            if context.pages.wait(for: next, completion: { [self] in proceedAfterOthersPage(at: sortKey, $0) }) {
                return
            }
        }
        let (request, lower) = withState { $0.nextRequest(below: prefix) }
        context.list(request) { [self] result in
            do throws(StoreError) {
                guard let page = try context.coverage(of: result.get(), answering: request, from: lower) else {
                    return beginAgain()
                }
                take(page)
            } catch {
                fail(error)
            }
        }
    }

    /// Continues after the end of a page that was requested for another purpose.
    private func proceedAfterOthersPage(at sortKey: Key, _ failure: StoreError?) {
        if let failure { return fail(failure) }
        if withState({ $0.isNeeded }) { fetchPage(waitedAt: sortKey) }
    }

    /// Requests the page again, since the store doesn't list in order and this one proved nothing. Callers keep
    /// waiting.
    private func beginAgain() {
        if withState({ $0.isNeeded }) { fetchPage() }
    }

    private func take(_ page: PageCoverage) {
        // For a reader, the next request is sent before this page is processed.
        let (next, numbered) = withState { state in
            (state.noteArrival(of: page, below: prefix), state.noteNumbers(prefix, context))
        }
        let isGoingOn = next != nil
        if let next { fetchPage(from: next) }
        numbered?.note(page)
        let coverage = page.coverage(of: prefix, account: context.account)
        let outcome = withState { state in
            state.arrivedCount -= 1
            if !isGoingOn { state.isFetching = false }
            guard state.restsOnOrder else { return Outcome() }
            let end = state.entries.frontEnd
            state.hasFirstPage = true
            let outcome = coverage.map { state.absorb($0) } ?? Outcome()
            if state.entries.frontEnd == end { state.cursor?.mustBeFollowed = true }
            return outcome
        }
        finish(outcome, hidden: coverage?.hidden)
        let mustFetch = withState { !$0.waiters.isEmpty && $0.beginFetching() }
        if mustFetch { fetchPage() }
        prefetchNumbered()
    }

    func fail(_ error: StoreError) {
        let waiters = withState { state in
            state.isFetching = false
            // After a passing failure the token still holds; "start-after" is for sort keys that no token leads to.
            if !error.tookAllTime {
                state.cursor = nil
                state.collected = nil
            }
            defer { state.waiters = [] }
            return state.waiters
        }
        for waiter in waiters {
            switch waiter {
            case .lookup(_, let completion): completion(.failure(error))
            case .entries(_, let completion): completion(.failure(error))
            }
        }
    }

    // MARK: Pages aimed at names

    /// Requests the keys that begin with `name`. The file comes first, but the directory that would hide it only behind
    /// all keys that continue the name with a byte below "/".
    private func aim(at name: Name, mayWait: Bool = true) {
        guard context.order.isTrusted else { return probe(name) }
        let key = prefix.appending(name.bytes)
        if mayWait, context.pages.wait(for: key, completion: { [self] in aimAgain(at: name, $0) }) { return }
        requestName(name, ListRequest(prefix: key, isDelimited: true)) { [self] in
            let directory = key.appending([Key.delimiter])
            // Only if so many keys begin with the name that its directory isn't on the page.
            requestName(name, ListRequest(prefix: directory, isDelimited: false, limit: 1)) { [self] in
                settle(
                    name,
                    .failure(
                        StoreError(.malformedResponse, "the listing of \"\(directory)\" doesn't cover the request")))
            }
        }
    }

    /// Continues after the end of a page that was requested for another purpose.
    private func aimAgain(at name: Name, _ failure: StoreError?) {
        if let failure { return settle(name, .failure(failure)) }
        if isAiming(at: name) { aim(at: name, mayWait: false) }
    }

    /// Requests a page that may cover `name`, and calls `ifUnknown` if it doesn't.
    private func requestName(_ name: Name, _ request: ListRequest, ifUnknown: @escaping @Sendable () -> Void) {
        context.list(request) { [self] result in
            do throws(StoreError) {
                guard let page = try context.coverage(of: result.get(), answering: request) else { return probe(name) }
                if let coverage = page.coverage(of: prefix, account: context.account) {
                    finish(withState { $0.restsOnOrder ? $0.absorb(coverage) : Outcome() }, hidden: coverage.hidden)
                }
                if isAiming(at: name) { context.order.isTrusted ? ifUnknown() : probe(name) }
            } catch {
                settle(name, .failure(error))
            }
        }
    }

    /// Returns `true` while a lookup of `name` waits.
    func isAiming(at name: Name) -> Bool { withState { $0.aims[name] != nil } }

    func settle(_ name: Name, _ result: Result<ListedEntry?, StoreError>) {
        let waiters = withState { $0.aims.removeValue(forKey: name) }
        for completion in waiters ?? [] { completion(result) }
    }

    // MARK: Consequences of a page

    /// The actions to take outside of the lock after a page was added.
    struct Outcome {
        /// The completions of the calls that waited for the page.
        var calls: [@Sendable () -> Void] = []
        /// Names that waited for a first page that didn't cover them.
        var aims: [Name] = []
        /// Files that directories turned out to hide.
        var hidden = HiddenKeys()
        /// The increase of the listing's memory.
        var grownByteCount = 0
        /// `true` if the listing has become complete.
        var isSealed = false
    }

    func finish(_ outcome: Outcome, hidden: HiddenKeys?) {
        context.account.add(outcome.grownByteCount)
        if let hidden { context.logHidden(hidden, in: prefix) }
        context.logHidden(outcome.hidden, in: prefix)
        for call in outcome.calls { call() }
        for name in outcome.aims { aim(at: name) }
        if outcome.isSealed, !isRestored { context.archive(self) }
    }
}

/// The continuation behind a page of the directory's own.
struct PageCursor {
    let token: ContinuationToken
    /// The sort key at which the next page begins.
    let sortKey: Key
    /// `true` if the page added no entry. The request then continues by the token, since one from the end of the front
    /// would return the same page.
    var mustBeFollowed = false
}

extension DirectoryListing.State {
    /// The entries in the order of the indices that readers know.
    var indexed: KnownEntries { given ?? entries }

    /// The memory of the lists of entries, without blocks, in bytes.
    var entriesByteCount: Int { entries.byteCount + (given?.byteCount ?? 0) }

    /// `true` if a caller waits for the page in flight. Ends the fetching otherwise.
    var isNeeded: Bool {
        mutating get {
            if waiters.isEmpty { isFetching = false }
            return isFetching
        }
    }

    /// Claims the right to request the next page; `false` if it is in flight or being processed.
    mutating func beginFetching() -> Bool {
        if isFetching || arrivedCount > 0 { return false }
        isFetching = true
        return true
    }

    /// Adds a caller that waits for a name. Returns `true` if the name must be requested.
    mutating func aim(at name: Name, for completion: @escaping DirectoryListing.LookupCompletion) -> Bool {
        let isFirst = aims[name] == nil
        aims[name, default: []].append(completion)
        return isFirst
    }

    /// Returns the request for the next page, and its first key if it continues an earlier page.
    mutating func nextRequest(below prefix: Key) -> (ListRequest, Key?) {
        var request = ListRequest(prefix: prefix, isDelimited: true)
        if let cursor,
            cursor.mustBeFollowed || isContradicted || entries.frontEnd.map({ cursor.sortKey >= $0 }) ?? false
        {
            request.continuation = cursor.token
            return (request, prefix.appending(cursor.sortKey.bytes))
        }
        cursor = nil
        // There is nothing between the last entry and the end of the front.
        request.startAfter = entries.lastSortKey.map { prefix.appending($0) }
        return (request, nil)
    }

    /// Stores the continuation behind `page`. Returns the sort key there if the next page is to be requested at once:
    /// one may be in flight while another is processed.
    mutating func noteArrival(of page: PageCoverage, below prefix: Key) -> Key? {
        arrivedCount += 1
        guard let token = page.next, let upper = page.interval.upper, let frontEnd = entries.frontEnd else {
            cursor = nil
            return nil
        }
        let cursor = PageCursor(token: token, sortKey: upper.dropping(prefix.bytes.count))
        self.cursor = cursor
        guard cursor.sortKey >= frontEnd, arrivedCount == 1,
            case .unknown = entries.entry(at: cursor.sortKey.bytes)
        else { return nil }
        return waiters.contains { if case .entries = $0 { true } else { false } } ? cursor.sortKey : nil
    }

    /// Stores the continuation behind an own page that another caller has requested.
    mutating func noteEnd(of page: PageCoverage, below prefix: Key) {
        guard !entries.isComplete, let token = page.next, let upper = page.interval.upper else { return }
        let sortKey = upper.dropping(prefix.bytes.count)
        // Another position is one at which no reader continues, or is behind the known entries.
        if sortKey == entries.frontEnd { cursor = PageCursor(token: token, sortKey: sortKey) }
    }

    /// Adds a page that isn't the directory's own. If it has a key that an earlier own page lacks, either the bucket
    /// has changed or the store doesn't list in order. The next own page shows which; until then no other page may
    /// complete the listing.
    mutating func absorbOthers(_ coverage: DirectoryCoverage) -> DirectoryListing.Outcome {
        guard restsOnOrder, !isContradicted else { return DirectoryListing.Outcome() }
        if cursor != nil, !entries.isComplete, entries.contradicts(coverage) {
            isContradicted = true
            return DirectoryListing.Outcome()
        }
        return absorb(coverage)
    }

    /// Returns the read-ahead of numbered names; `nil` until a reader needs a second own page.
    mutating func noteNumbers(_ prefix: Key, _ context: ListingContext) -> NumberedReadAhead? {
        if hasFirstPage && numbered == nil && !entries.isComplete {
            numbered = NumberedReadAhead(prefix: prefix, context: context)
        }
        return numbered
    }

    /// The position of the reader.
    var numberedPosition: NumberedReadAhead.ReadPosition? {
        guard numbered != nil, restsOnOrder, !isContradicted, !entries.isComplete, let front = entries.lastSortKey
        else { return nil }
        let reader = entries.entries(from: readerIndex).map { $0.block.sortKey($0.range.lowerBound) } ?? front
        return NumberedReadAhead.ReadPosition(reader: reader, front: front, isFetching: isFetching)
    }

    /// Returns the known entries from `index` on; `nil` if the next page must be requested for them.
    mutating func slice(from index: Int) -> DirectorySlice? {
        let slice = indexed.entries(from: index)
        if slice != nil { hasGivenEntries = true }
        return slice == nil && !indexed.isComplete ? nil : DirectorySlice(slice)
    }

    /// Adds the entries of a page. Returns the consequences.
    mutating func absorb(_ coverage: DirectoryCoverage) -> DirectoryListing.Outcome {
        var outcome = DirectoryListing.Outcome()
        if entries.isComplete { return outcome }
        let byteCount = entriesByteCount
        outcome.hidden = entries.absorb(coverage)
        outcome.grownByteCount = entriesByteCount - byteCount
        outcome.isSealed = entries.isComplete
        answerAll(&outcome)
        return outcome
    }

    /// Removes all waiting callers that can be answered now.
    mutating func answerAll(_ outcome: inout DirectoryListing.Outcome) {
        answerWaiters(&outcome)
        answerAims(&outcome)
    }

    /// Removes the waiting callers that can be answered. Their completions run outside of the lock, since they may call
    /// back.
    private mutating func answerWaiters(_ outcome: inout DirectoryListing.Outcome) {
        var remaining: [DirectoryListing.Waiter] = []
        for waiter in waiters {
            switch waiter {
            case .lookup(let name, let completion):
                if let entry = knownEntry(name) {
                    outcome.calls.append { completion(.success(entry)) }
                } else if !hasFirstPage {
                    remaining.append(waiter)
                } else if aim(at: name, for: completion) {
                    outcome.aims.append(name)
                }
            case .entries(let index, let completion):
                if let slice = slice(from: index) {
                    outcome.calls.append { completion(.success(slice)) }
                } else {
                    remaining.append(waiter)
                }
            }
        }
        waiters = remaining
    }

    private mutating func answerAims(_ outcome: inout DirectoryListing.Outcome) {
        for (name, waiters) in aims {
            guard let entry = knownEntry(name) else { continue }
            aims[name] = nil
            for completion in waiters { outcome.calls.append { completion(.success(entry)) } }
        }
    }

    /// Returns the entry of `name`, `.some(nil)` if there is none, and `nil` if that isn't known.
    private func knownEntry(_ name: Name) -> ListedEntry?? {
        switch entries.answer(for: name) {
        case .present(let entry): .some(entry)
        case .absent: .some(nil)
        case .unknown: nil
        }
    }
}
