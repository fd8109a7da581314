import ObjectStore

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
