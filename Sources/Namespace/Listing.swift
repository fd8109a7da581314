import ObjectStore
import Synchronization

/// One listing of one directory: fetched page by page, as far as somebody wants it.
///
/// All who look at a directory share its listing: at most one page is on its way, and who needs it waits for that one. A
/// page that fails fails those who wait for it and nothing else: what is proven stays proven, and the next one who asks
/// makes the listing ask the store again.
final class Listing: Sendable {
    /// The directory's prefix: a key that ends in "/", or nothing for a whole bucket.
    let prefix: Key
    private let source: ListingSource
    private let state: Mutex<State>

    fileprivate struct State {
        var entries: ListedEntries
        var continuation: ContinuationToken?
        var hasPage = false
        var isFetching = false
        /// Who waits for the page that is being fetched. As many as the kernel has requests under way, at the most.
        var waiters: [Waiter] = []
    }

    fileprivate enum Waiter {
        case lookup(Name, LookupCompletion)
        case entries(index: Int, EntriesCompletion)
    }

    typealias LookupCompletion = @Sendable (Result<ListedEntries.Answer, StoreError>) -> Void
    typealias EntriesCompletion = @Sendable (Result<DirectorySlice, StoreError>) -> Void

    init(prefix: Key, source: ListingSource) {
        state = Mutex(State(entries: ListedEntries(prefix: prefix, account: source.account)))
        self.prefix = prefix
        self.source = source
    }

    /// How many entries the pages so far have proven.
    var entryCount: Int {
        state.withLock { $0.entries.settledCount }
    }

    /// What the pages say of `name`. The first page is fetched for it, because it answers the names beside this one as
    /// well; further pages are not.
    func lookup(_ name: Name, completion: @escaping LookupCompletion) {
        let (answer, mustFetch) = state.withLock { state -> (ListedEntries.Answer?, Bool) in
            if state.hasPage { return (state.entries.answer(for: name), false) }
            state.waiters.append(.lookup(name, completion))
            return (nil, state.beginFetching())
        }
        if let answer { completion(.success(answer)) }
        if mustFetch { fetchPage() }
    }

    /// The entries from `index` on: those at hand, or those of the next page. When the last entries at hand are asked
    /// for, the next page is fetched at once, since a reader of a directory reads it all.
    func entries(from index: Int, completion: @escaping EntriesCompletion) {
        let (slice, mustFetch) = state.withLock { state -> (DirectorySlice?, Bool) in
            if let slice = state.slice(from: index) {
                let isLast = index + slice.count == state.entries.settledCount
                return (slice, isLast && !state.entries.isComplete && state.beginFetching())
            }
            state.waiters.append(.entries(index: index, completion))
            return (nil, state.beginFetching())
        }
        if let slice { completion(.success(slice)) }
        if mustFetch { fetchPage() }
    }

    /// The index of the file `name`, if the pages so far have it.
    func index(ofFile name: Name) -> Int? {
        state.withLock { $0.entries.index(of: EntryPosition(name, isDirectory: false)) }
    }

    /// The entries of these indices, as far as the pages so far have them.
    func listedEntries(in range: Range<Int>) -> [DirectoryEntry] {
        state.withLock { state in
            var entries: [DirectoryEntry] = []
            while entries.count < range.count {
                guard let piece = state.entries.entries(from: range.lowerBound + entries.count) else { break }
                entries += (0..<min(piece.count, range.count - entries.count)).map { piece[$0].entry }
            }
            return entries
        }
    }

    private func fetchPage() {
        let continuation = state.withLock { $0.continuation }
        source.list(ListRequest(prefix: prefix, isDelimited: true, continuation: continuation)) { [self] result in
            do throws(StoreError) {
                try take(result.get())
            } catch {
                fail(error)
            }
        }
    }

    private func take(_ page: ListPage) throws(StoreError) {
        let growth = try state.withLock { state throws(StoreError) in
            try state.entries.append(page)
        }
        source.noteGrowth(growth, of: prefix)
        let (calls, mustFetch) = state.withLock { state -> ([() -> Void], Bool) in
            state.hasPage = true
            state.continuation = page.next
            state.isFetching = false
            let calls = state.answerWaiters(prefix: prefix)
            return (calls, !state.waiters.isEmpty && state.beginFetching())
        }
        for call in calls { call() }
        if mustFetch { fetchPage() }
    }

    private func fail(_ error: StoreError) {
        let waiters = state.withLock { state in
            state.isFetching = false
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
}

extension Listing.State {
    /// Claims the right to fetch the next page; `false` where it is on its way already.
    mutating func beginFetching() -> Bool {
        if isFetching { return false }
        isFetching = true
        return true
    }

    /// The entries from `index` on as far as they are at hand; `nil` where the next page must tell.
    func slice(from index: Int) -> DirectorySlice? {
        if let slice = entries.entries(from: index) { return slice }
        return entries.isComplete ? .end : nil
    }

    /// Takes out the waiters that the pages at hand answer. The calls are made outside of the lock, because they may
    /// come back here.
    mutating func answerWaiters(prefix: Key) -> [() -> Void] {
        var calls: [() -> Void] = []
        var remaining: [Listing.Waiter] = []
        for waiter in waiters {
            switch waiter {
            case .lookup(let name, let completion):
                let answer = entries.answer(for: name)
                calls.append { completion(.success(answer)) }
            case .entries(let index, let completion):
                if let slice = slice(from: index) {
                    calls.append { completion(.success(slice)) }
                } else {
                    remaining.append(waiter)
                }
            }
        }
        waiters = remaining
        return calls
    }
}
