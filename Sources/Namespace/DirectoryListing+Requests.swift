import ObjectStore

extension DirectoryListing {
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
