import ObjectStore
import StateLog
import Synchronization

/// What is known of one directory in one *edition*: what was learnt in one go, and expires in one go.
///
/// All who look at a directory share its listing. Pages come from three sides: its own, asked for from the front's end on
/// when somebody reads the directory or looks for a first name in it; those aimed at one name; and those that others have
/// asked for (`DirectoryCache.absorb`). Of its own and of those aimed at one name, at most one is on its way, and who needs it
/// waits for that one. A page that fails fails those who wait for it and nothing else: what is proven stays proven, and the
/// next one who asks makes the listing ask the store again.
///
/// Where the store turns out to list in no order (`StoreOrder`), all that was proven is withdrawn at the next use, and the
/// directory is collected page by page (`DirectoryListing+Unordered.swift`). Entries that readers were given keep their indices.
final class DirectoryListing: Sendable {
    /// The directory's prefix: a key that ends in "/", or nothing for a whole bucket.
    let prefix: Key
    /// In which epoch the kernel began to keep a copy of the entries; 0 for never. The listing itself makes nothing of it.
    let kernelCopyEpoch = Atomic<UInt64>(0)
    /// When somebody last used it: `DirectoryCache`'s count of uses.
    let lastUse = Atomic<Int>(0)
    /// How many open directories are of it.
    private let readerCount = Atomic<Int>(0)
    /// What the log calls it that outlives this process; 0 for nothing.
    private let loggedID = Atomic<UInt64>(0)
    /// Whether its beginning was given by a process that is gone, so that nobody but those who read on shall see it.
    private let isRestored: Bool
    /// Whether the archive was asked for a better listing.
    let hasTriedArchive = Atomic<Bool>(false)
    let context: ListingContext
    private let state: Mutex<State>

    struct State {
        var entries: KnownEntries
        /// The entries in the order in which readers have been given them, where that isn't the order of `entries`.
        var given: KnownEntries?
        /// `true` if readers have been given entries.
        var hasGivenEntries = false
        /// `true` if what is proven rests on the order of the store's listings.
        var restsOnOrder: Bool
        /// The pages that have come of a directory of a store that lists in no order.
        var collected: CollectedPages?
        /// When the first of it was asked of the store.
        var knownSince: ContinuousClock.Instant
        /// Where the next page of its own begins, if that is a matter of going on with one that came before.
        var cursor: PageCursor?
        /// `true` if a page of others had a key where a page of its own had none: only its own pages count from then on.
        var isContradicted = false
        /// Whether a page of this very directory has come, so that further ones aren't asked for because of a name.
        var hasFirstPage = false
        var isFetching = false
        /// Pages of its own that have come and are being looked at.
        var arrivedCount = 0
        /// Who waits for the page that is being fetched. As many as the kernel has requests under way, at the most.
        var waiters: [Waiter] = []
        /// Asks for pages further on, where names are numbers and somebody reads them.
        var numbered: NumberedReadAhead?
        /// The index that the reader who asked last has come to.
        var readerIndex = 0
        /// Who waits for pages aimed at names.
        var aims: [Name: [LookupCompletion]] = [:]
        /// What of it the log has.
        var logged = LoggedEntries()
    }

    enum Waiter {
        case lookup(Name, LookupCompletion)
        case entries(index: Int, EntriesCompletion)
    }

    typealias LookupCompletion = @Sendable (Result<ListedEntry?, StoreError>) -> Void
    typealias EntriesCompletion = @Sendable (Result<DirectorySlice, StoreError>) -> Void

    /// What a listing takes beside its prefix and its entries, in bytes: the object, and its place in a table.
    private static let overheadByteCount = 480

    /// An edition of which nothing is known so far, or `entries`, and that began at `knownSince`. `restoredID` is what the log
    /// calls it where a process that is gone has begun it.
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

    /// Calls `body` with the state, from which all is withdrawn that rests on an order which was disproved.
    func withState<Result: Sendable>(_ body: (inout State) -> Result) -> Result {
        let isOrdered = context.order.isTrusted
        return state.withLock { state in
            if !isOrdered, state.restsOnOrder { context.account.add(state.withdraw()) }
            return body(&state)
        }
    }

    // MARK: Readers

    /// Whether an open directory is of it.
    var isRead: Bool { readerCount.load(ordering: .relaxed) > 0 }

    /// A directory was opened that is of this listing. Ends with `endReading`.
    func beginReading() { readerCount.add(1, ordering: .relaxed) }

    /// A directory was closed, or began anew with another listing.
    func endReading() { readerCount.subtract(1, ordering: .relaxed) }

    // MARK: What is known

    /// When the first of it was asked of the store.
    var knownSince: ContinuousClock.Instant { withState { $0.knownSince } }

    /// Until when all of it counts as true.
    var expiry: Expiry { context.timeToLive.expiry(from: knownSince) }

    /// Whether everything in the directory is known.
    var isComplete: Bool { withState { $0.entries.isComplete } }

    /// How many entries are settled, so that they have an index.
    var entryCount: Int { withState { $0.indexed.settledCount } }

    /// The index of the file `name`, if it is settled.
    func index(ofFile name: Name) -> Int? {
        withState { $0.indexed.index(of: name.bytes) }
    }

    /// The entries of these indices, as far as they are settled.
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

    /// The names of subdirectories at or behind a sortKey (a name with "/" for a directory), in the order of keys, as far
    /// as they are known, `limit` of them at the most. Asks nothing. There may be others between them.
    func knownSubdirectories(from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        withState { $0.entries.subdirectories(from: sortKey, limit: limit) }
    }

    /// The first subdirectory at or behind `sortKey`, if all before it is known.
    func nextSubdirectory(from sortKey: Key) -> KnownEntries.NextSubdirectory {
        withState { $0.entries.nextSubdirectory(from: sortKey) }
    }

    /// What is known of a sortKey: "name" for a file, "name/" for a directory.
    func entry(at sortKey: [UInt8]) -> KnownEntries.Answer {
        withState { $0.entries.entry(at: sortKey) }
    }

    /// All entries, in slices; `nil` where they aren't all known.
    var completeSlices: [EntrySlice]? {
        withState { $0.entries.isComplete ? $0.entries.settledSlices : nil }
    }

    /// The blocks that its entries are in, each once.
    var blocks: [EntryBlock] {
        var known: Set<ObjectIdentifier> = []
        let all = withState { $0.entries.blocks + ($0.given?.blocks ?? []) + ($0.collected?.blocks ?? []) }
        return all.filter { known.insert(ObjectIdentifier($0)).inserted }
    }

    /// The memory that it takes with its entries, in bytes, about.
    var byteCount: Int {
        let entriesByteCount = withState { $0.entriesByteCount }
        return Self.overheadByteCount + prefix.bytes.count + entriesByteCount
            + blocks.reduce(0) { $0 + $1.byteCount }
    }

    // MARK: What the next process must know

    /// What the log calls it; 0 where there is none.
    var logID: UInt64 {
        guard let log = context.log?.log else { return 0 }
        let known = loggedID.load(ordering: .relaxed)
        if known != 0 { return known }
        let made = log.makeID()
        let (isMine, other) = loggedID.compareExchange(expected: 0, desired: made, ordering: .relaxed)
        return isMine ? made : other
    }

    /// Writes the settled entries to the log, as far as it doesn't have them: a reader who goes on in the next process shall
    /// find them at the same indices.
    func writeEntries() {
        guard let log = context.log else { return }
        let id = logID
        withState { state in
            // What the log has keeps its index, as what readers were given does.
            if state.indexed.settledCount > 0 { state.hasGivenEntries = true }
            state.logged.write(state.indexed, of: id, to: log)
        }
    }

    // MARK: Asking

    /// What `name` is in the directory; `nil` where there is no such entry. The first page is fetched for it, because it
    /// answers the names beside this one as well; behind that, what begins with the name.
    ///
    /// - Returns: Whether the store is asked for the directory's first page because of it.
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

    /// The entries from `index` on: those at hand, or those of the next page. When the last entries at hand are asked
    /// for, the next page is fetched at once, since a reader of a directory reads it all.
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
        // Before the answer, which may take its time with the entries.
        if mustFetch { fetchPage() }
        prefetchNumbered()
        if let slice { completion(.success(slice)) }
    }

    /// Where the listing is read, if pages may be asked for ahead of that.
    var numberedPosition: NumberedReadAhead.ReadPosition? {
        withState { $0.numberedPosition }
    }

    private func prefetchNumbered() {
        let (numbered, position) = withState { ($0.numbered, $0.numberedPosition) }
        if let numbered, let position { numbered.proceed(position, of: self) }
    }

    // MARK: Pages that others asked for

    /// Takes what a page tells of this directory, as far as it wasn't known, and answers those who waited for that.
    ///
    /// - Parameters:
    ///   - requestedAt: When the page was asked for: the whole edition doesn't count as any younger.
    ///   - ownPage: The page, where it is one of this very directory.
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

    /// Takes a page of this directory that was asked for ahead.
    func absorb(_ page: PageCoverage) {
        guard let coverage = page.coverage(of: prefix, account: context.account) else { return }
        finish(withState { $0.absorbOthers(coverage) }, hidden: coverage.hidden)
    }

    // MARK: Pages of the directory

    /// Fetches the next page; whoever calls this has begun fetching. Where somebody else has asked for one that may do, that
    /// one is waited for, and the next one of theirs as long as each brings the front further.
    ///
    /// - Parameters:
    ///   - sortKey: Where the page begins; by default where the front ends.
    ///   - waited: The sortKey that others' pages were waited for last.
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

    /// The page that somebody else had asked for is there, or won't come.
    private func proceedAfterOthersPage(at sortKey: Key, _ failure: StoreError?) {
        if let failure { return fail(failure) }
        if withState({ $0.isNeeded }) { fetchPage(waitedAt: sortKey) }
    }

    /// A page has come that proves nothing, because the store lists in no order: who waits for it waits on.
    private func beginAgain() {
        if withState({ $0.isNeeded }) { fetchPage() }
    }

    private func take(_ page: PageCoverage) {
        // Somebody reads the directory: the next page is on its way before this one is looked at.
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
            // After a passing failure the token still holds; "start-after" is for sortKeys that no token leads to.
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

    /// Lists what begins with `name`: the file stands first, but its directory, which would hide it, only behind all that
    /// begins with the name and goes on with a byte below "/".
    private func aim(at name: Name, mayWait: Bool = true) {
        guard context.order.isTrusted else { return probe(name) }
        let key = prefix.appending(name.bytes)
        if mayWait, context.pages.wait(for: key, completion: { [self] in aimAgain(at: name, $0) }) { return }
        requestName(name, ListRequest(prefix: key, isDelimited: true)) { [self] in
            let directory = key.appending([Key.delimiter])
            // Only where so much begins with the name that its directory isn't on the page.
            requestName(name, ListRequest(prefix: directory, isDelimited: false, limit: 1)) { [self] in
                settle(name, .failure(StoreError(.malformedResponse, "the listing of \"\(directory)\" proves nothing")))
            }
        }
    }

    /// The page that somebody else had asked for is there, or won't come.
    private func aimAgain(at name: Name, _ failure: StoreError?) {
        if let failure { return settle(name, .failure(failure)) }
        if isAiming(at: name) { aim(at: name, mayWait: false) }
    }

    /// Lists what may tell of `name`, and calls `ifUnknown` where it doesn't.
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

    /// `true` while a lookup of `name` is parked.
    func isAiming(at name: Name) -> Bool { withState { $0.aims[name] != nil } }

    func settle(_ name: Name, _ result: Result<ListedEntry?, StoreError>) {
        let waiters = withState { $0.aims.removeValue(forKey: name) }
        for completion in waiters ?? [] { completion(result) }
    }

    // MARK: What a page brings about

    /// What is to be done, outside of the lock, after a page was absorbed.
    struct Outcome {
        /// Answers to those who waited for what the page tells.
        var calls: [@Sendable () -> Void] = []
        /// Names that waited for a first page that didn't tell of them.
        var aims: [Name] = []
        /// Files that turned out to be hidden.
        var hidden = HiddenKeys()
        /// How much more memory the listing takes.
        var grownByteCount = 0
        /// Whether it has become complete.
        var isSealed = false
    }

    func finish(_ outcome: Outcome, hidden: HiddenKeys?) {
        context.account.add(outcome.grownByteCount)
        if let hidden { context.tell(of: hidden, in: prefix) }
        context.tell(of: outcome.hidden, in: prefix)
        for call in outcome.calls { call() }
        for name in outcome.aims { aim(at: name) }
        if outcome.isSealed, !isRestored { context.archive(self) }
    }
}

/// How a listing goes on behind a page of its own.
struct PageCursor {
    let token: ContinuationToken
    /// The sortKey that the next page begins at.
    let sortKey: Key
    /// Whether the page has brought nothing new: then the next one may, and asking from the front's end on would bring the
    /// same again.
    var mustBeFollowed = false
}

extension DirectoryListing.State {
    /// The entries by the indices that readers know.
    var indexed: KnownEntries { given ?? entries }

    /// The memory that lists of entries take beside the blocks, in bytes.
    var entriesByteCount: Int { entries.byteCount + (given?.byteCount ?? 0) }

    /// `true` if a caller waits for the page that is being fetched. Ends the fetching otherwise.
    var isNeeded: Bool {
        mutating get {
            if waiters.isEmpty { isFetching = false }
            return isFetching
        }
    }

    /// Claims the right to fetch the next page; `false` where it is on its way already, or has come.
    mutating func beginFetching() -> Bool {
        if isFetching || arrivedCount > 0 { return false }
        isFetching = true
        return true
    }

    /// Notes who waits for a name; whether the store is to be asked about it.
    mutating func aim(at name: Name, for completion: @escaping DirectoryListing.LookupCompletion) -> Bool {
        let isFirst = aims[name] == nil
        aims[name, default: []].append(completion)
        return isFirst
    }

    /// The request for the next page, and where it begins if it goes on with an earlier one.
    mutating func nextRequest(below prefix: Key) -> (ListRequest, Key?) {
        var request = ListRequest(prefix: prefix, isDelimited: true)
        if let cursor,
            cursor.mustBeFollowed || isContradicted || entries.frontEnd.map({ cursor.sortKey >= $0 }) ?? false
        {
            request.continuation = cursor.token
            return (request, prefix.appending(cursor.sortKey.bytes))
        }
        cursor = nil
        // Between the last entry and the front's end there is nothing.
        request.startAfter = entries.lastSortKey.map { prefix.appending($0) }
        return (request, nil)
    }

    /// Notes where the listing goes on behind `page`; the sortKey there, if it is to go on with it at once. One page may be
    /// on its way while another one is looked at.
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

    /// Notes where the listing goes on behind a page of its own that another caller has requested.
    mutating func noteEnd(of page: PageCoverage, below prefix: Key) {
        guard !entries.isComplete, let token = page.next, let upper = page.interval.upper else { return }
        let sortKey = upper.dropping(prefix.bytes.count)
        // Another one leads to where no reader goes on, or behind what is known by now.
        if sortKey == entries.frontEnd { cursor = PageCursor(token: token, sortKey: sortKey) }
    }

    /// Takes what a page tells that isn't one of the directory's own. Where it has a key that isn't there by an earlier page of
    /// the directory's own, either the bucket has changed meanwhile or the store lists in no order: the next page of its own
    /// shows which, and nothing else may complete the listing.
    mutating func absorbOthers(_ coverage: DirectoryCoverage) -> DirectoryListing.Outcome {
        guard restsOnOrder, !isContradicted else { return DirectoryListing.Outcome() }
        if cursor != nil, !entries.isComplete, entries.contradicts(coverage) {
            isContradicted = true
            return DirectoryListing.Outcome()
        }
        return absorb(coverage)
    }

    /// Who asks for pages further on; `nil` before a reader needed a second page of the directory's own.
    mutating func noteNumbers(_ prefix: Key, _ context: ListingContext) -> NumberedReadAhead? {
        if hasFirstPage && numbered == nil && !entries.isComplete {
            numbered = NumberedReadAhead(prefix: prefix, context: context)
        }
        return numbered
    }

    /// Where the listing is read.
    var numberedPosition: NumberedReadAhead.ReadPosition? {
        guard numbered != nil, restsOnOrder, !isContradicted, !entries.isComplete, let front = entries.lastSortKey
        else { return nil }
        let reader = entries.entries(from: readerIndex).map { $0.block.sortKey($0.range.lowerBound) } ?? front
        return NumberedReadAhead.ReadPosition(reader: reader, front: front, isFetching: isFetching)
    }

    /// The entries from `index` on as far as they are at hand; `nil` where the next page must tell.
    mutating func slice(from index: Int) -> DirectorySlice? {
        let slice = indexed.entries(from: index)
        if slice != nil { hasGivenEntries = true }
        return slice == nil && !indexed.isComplete ? nil : DirectorySlice(slice)
    }

    /// Takes what a page tells, and finds out what that brings about.
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

    /// Takes out all who can be answered now.
    mutating func answerAll(_ outcome: inout DirectoryListing.Outcome) {
        answerWaiters(&outcome)
        answerAims(&outcome)
    }

    /// Takes out the waiters that can be answered. The calls are made outside of the lock, because they may come back
    /// here.
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

    /// What `name` is, or that it is nothing; `nil` where that isn't known.
    private func knownEntry(_ name: Name) -> ListedEntry?? {
        switch entries.answer(for: name) {
        case .present(let entry): .some(entry)
        case .absent: .some(nil)
        case .unknown: nil
        }
    }
}
