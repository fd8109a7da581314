import ObjectStore
import Synchronization

// Listings of a store that doesn't list in order
//
// No page proves an absence. So the directory's own pages are collected from the first to the last, by continuation
// tokens only, and count together once the last one has arrived. Until then a lookup sends two requests of its own:
// HEAD for the file, and a listing of one key for the directory. If the first page is also the last, it answers all
// lookups, as in an ordered store.

extension DirectoryListing {
    /// Requests the directory's next page, after the caller has called `beginFetching`.
    func collectPage() {
        let continuation = withState { $0.collected?.next }
        let request = ListRequest(prefix: prefix, isDelimited: true, continuation: continuation)
        context.list(request) { [self] result in
            do throws(StoreError) {
                let page = try result.get()
                try collect(page.unorderedCoverage(of: prefix, account: context.account), next: page.next)
            } catch {
                fail(error)
            }
        }
    }

    /// Adds the page of an unordered directory that another caller has listed from its beginning, if it is the only
    /// one.
    func collectWhole(_ page: ListPage, requestedAt: ContinuousClock.Instant) {
        guard page.next == nil, let coverage = try? page.unorderedCoverage(of: prefix, account: context.account) else {
            return
        }
        let isWanted = withState { state in
            guard !state.entries.isComplete, state.collected == nil, state.beginFetching() else { return false }
            state.knownSince = min(state.knownSince, requestedAt)
            return true
        }
        guard isWanted else { return }
        do throws(StoreError) {
            try collect(coverage, next: nil)
        } catch {
            fail(error)
        }
    }

    private func collect(_ coverage: DirectoryCoverage, next: ContinuationToken?) throws(StoreError) {
        // No other thread uses it while the page is being fetched.
        var collected = withState { $0.collected.take() } ?? CollectedPages()
        if try collected.add(coverage, next: next) { return try complete(collected) }
        let (outcome, mustFetch) = withState { state in
            state.collected = collected
            state.hasFirstPage = true
            var outcome = Outcome()
            state.answerAll(&outcome)
            return (outcome, state.isNeeded)
        }
        // The next request is sent before lookups are answered.
        if mustFetch { collectPage() }
        finish(outcome, hidden: nil)
    }

    private func complete(_ collected: CollectedPages) throws(StoreError) {
        var hidden = collected.hidden
        let blocks = collected.sortedBlocks(of: prefix, account: context.account)
        guard let entries = KnownEntries(whole: blocks, hidden: &hidden) else {
            throw StoreError(.malformedResponse, "the listing of \"\(prefix)\" can't be put in order")
        }
        finish(withState { $0.complete(entries, prefix: prefix, account: context.account) }, hidden: hidden)
    }

    /// Calls `completion` when the whole directory is known.
    func readAll(_ completion: @escaping @Sendable (StoreError?) -> Void) {
        entries(from: entryCount) { [self] result in
            switch result {
            case .failure(let error): completion(error)
            case .success: isComplete ? completion(nil) : readAll(completion)
            }
        }
    }

    // MARK: One name

    /// Requests the file and the directory of a name at the same time. The directory hides the file.
    func probe(_ name: Name) {
        let probe = Probe()
        let key = prefix.appending(name.bytes)
        let request = ListRequest(prefix: key.appending([Key.delimiter]), isDelimited: false, limit: 1)
        context.list(request) { [self] result in
            take(probe.note(directory: result.map { !$0.items.isEmpty }), of: name)
        }
        context.head(key) { [self] result in
            take(probe.note(file: result), of: name)
        }
    }

    private func take(_ answer: ProbeAnswers.Whole?, of name: Name) {
        guard let answer else { return }
        switch answer {
        case .failure(let error) where error.code == .accessDenied:
            // The credentials may allow ListObjects only. The listing has the name as well.
            return readAll { [self] failure in
                if let failure { settle(name, .failure(failure)) }
            }
        case .failure(let error): settle(name, .failure(error))
        case .directory: absorbProbe(of: name, nil, isDirectory: true)
        case .file(let object): absorbProbe(of: name, object, isDirectory: false)
        }
        if isAiming(at: name) {
            settle(
                name,
                .failure(
                    StoreError(
                        .malformedResponse,
                        "the listing of \"\(prefix.appending(name.bytes))\" doesn't cover the request"))
            )
        }
    }

    /// Adds the answer for one name: for its sort key as a file, unless it is a directory, and for that as a directory.
    private func absorbProbe(of name: Name, _ file: ListedObject?, isDirectory: Bool) {
        let sortKey = Key(name.bytes)
        let directory = sortKey.appending([Key.delimiter])
        var fileEntry = EntryBlock.Builder(prefix: prefix, reserving: 1, account: context.account)
        if let file { fileEntry.append(file: name.bytes, object: file) }
        var directoryEntry = EntryBlock.Builder(prefix: prefix, reserving: 1, account: context.account)
        if isDirectory { directoryEntry.append(directory: name.bytes) }
        let coverages = [
            DirectoryCoverage(
                block: fileEntry.finish(), interval: KeyInterval(lower: sortKey, upper: sortKey.next),
                hidden: HiddenKeys()),
            DirectoryCoverage(
                block: directoryEntry.finish(), interval: KeyInterval(lower: directory, upper: directory.endOfPrefix),
                hidden: HiddenKeys()),
        ]
        for coverage in coverages { finish(withState { $0.absorb(coverage) }, hidden: nil) }
    }
}

/// The results of the two requests for one name.
private struct ProbeAnswers {
    enum Whole {
        case directory
        /// The file, or nothing.
        case file(ListedObject?)
        case failure(StoreError)
    }

    var directory: Result<Bool, StoreError>?
    var file: Result<ListedObject?, StoreError>?

    /// The answer, once both results have arrived.
    var whole: Whole? {
        guard let directory, let file else { return nil }
        switch (directory, file) {
        case (.success(true), _): return .directory
        case (.failure(let error), _), (_, .failure(let error)): return .failure(error)
        case (.success(false), .success(let object)): return .file(object)
        }
    }
}

/// The state that the two requests for one name share.
private final class Probe: Sendable {
    private let answers = Mutex(ProbeAnswers())

    func note(directory: Result<Bool, StoreError>) -> ProbeAnswers.Whole? {
        answers.withLock { answers in
            answers.directory = directory
            return answers.whole
        }
    }

    func note(file: Result<ListedObject?, StoreError>) -> ProbeAnswers.Whole? {
        answers.withLock { answers in
            answers.file = file
            return answers.whole
        }
    }
}

extension DirectoryListing.State {
    /// Withdraws everything that was concluded from the order of the store's listings. Entries that readers have
    /// received keep their indices. Returns the growth in memory of the lists of entries.
    mutating func withdraw() -> Int {
        let byteCount = entriesByteCount
        if hasGivenEntries { given = KnownEntries(given: entries.settledSlices) }
        entries = KnownEntries()
        restsOnOrder = false
        isContradicted = false
        hasFirstPage = false
        cursor = nil
        numbered = nil
        return entriesByteCount - byteCount
    }

    /// Adds all entries of the directory. Those that no reader has received come behind the others.
    mutating func complete(_ whole: KnownEntries, prefix: Key, account: BlockAccount) -> DirectoryListing.Outcome {
        var outcome = DirectoryListing.Outcome()
        isFetching = false
        if entries.isComplete { return outcome }
        let byteCount = entriesByteCount
        entries = whole
        if let given { self.given = given.followed(by: whole, prefix: prefix, account: account) }
        outcome.grownByteCount = entriesByteCount - byteCount
        outcome.isSealed = true
        answerAll(&outcome)
        return outcome
    }
}

extension KnownEntries {
    /// Entries that readers have received, of a directory that isn't complete.
    fileprivate init(given slices: [EntrySlice]) {
        self.init()
        for slice in slices { settle(slice) }
    }

    /// Returns these entries, followed by those of `whole` with other names. A directory is added even if its name was
    /// returned as that of a file that it hides, so that readers don't miss its contents.
    fileprivate func followed(by whole: KnownEntries, prefix: Key, account: BlockAccount) -> KnownEntries {
        var files: Set<[UInt8]> = []
        var directories: Set<[UInt8]> = []
        for slice in settledSlices {
            for index in slice.range {
                let name = slice.block.withName(index) { Array($0) }
                if slice.block.isDirectory(index) { directories.insert(name) } else { files.insert(name) }
            }
        }
        var rest: [EntrySlice] = []
        for slice in whole.settledSlices {
            var builder = EntryBlock.Builder(prefix: prefix, reserving: slice.count, account: account)
            for index in slice.range {
                let name = slice.block.withName(index) { Array($0) }
                if directories.contains(name) || (files.contains(name) && !slice.block.isDirectory(index)) { continue }
                builder.append(index, of: slice.block)
            }
            let block = builder.finish()
            if block.count > 0 { rest.append(EntrySlice(block: block, range: 0..<block.count)) }
        }
        return KnownEntries(settled: settledSlices + rest, isComplete: true)
    }
}
