import ObjectStore
import Synchronization

/// The listings of a mount's directories: those that a request needed or that a page of another directory covered, as
/// far as they were used recently.
final class DirectoryCache: Sendable {
    /// The prefix of the mount's root.
    let root: Key
    private let context: ListingContext
    private let budget: MetadataBudget
    private let state = Mutex(State())

    fileprivate struct State {
        var listings: [Key: DirectoryListing] = [:]
        /// The number of uses so far: a clock that orders the uses of listings.
        var useCount = 0
        /// The order of eviction.
        var lru = ListingLRU()
        /// Listings that newer ones have replaced.
        var replaced: [DirectoryListing] = []
        /// Recent invalidations, which make pages requested before them worthless.
        var invalidated = InvalidatedPrefixes()
    }

    /// Creates an empty cache.
    ///
    /// - Parameters:
    ///   - root: The prefix of the mount's root.
    ///   - budget: The limit of memory.
    init(root: Key, context: ListingContext, budget: MetadataBudget) {
        self.root = root
        self.context = context
        self.budget = budget
    }

    /// The pages that are being prefetched.
    var pagesInFlight: PagesInFlight { context.pages }

    /// Returns the listing of the directory of `prefix`, which ends in "/" or is empty. An expired listing is replaced
    /// by a new one. Its age counts from this call, before its first request is sent, so that no answer is older than
    /// the time to live.
    func listing(_ prefix: Key) -> DirectoryListing {
        let now = ContinuousClock.now
        evict()
        let known = state.withLock { $0.use(prefix, at: now) }
        if let known, known.isComplete || known.hasTriedArchive.load(ordering: .relaxed) { return known }
        // The archive is on the disk, so it is read outside of the lock.
        defer { dropReplaced() }
        if let archived = context.archivedListing(prefix) {
            let taken = state.withLock { state in
                // The directory may have been invalidated during the read.
                state.invalidated.contains(prefix, requestedAt: now) ? nil : state.replace(known, by: archived)
            }
            if let taken { return taken }
        }
        let listing =
            known
            ?? state.withLock { state in
                state.use(prefix, at: now)
                    ?? state.insert(DirectoryListing(prefix: prefix, context: context, knownSince: now))
            }
        listing.hasTriedArchive.store(true, ordering: .relaxed)
        return listing
    }

    /// The number of directories with a listing, expired ones included.
    var listingCount: Int {
        state.withLock { $0.listings.count }
    }

    /// Returns the listing of the directory of `prefix`, even an expired one; `nil` if there is none. Doesn't count as
    /// a use.
    func known(_ prefix: Key) -> DirectoryListing? {
        state.withLock { $0.listings[prefix] }
    }

    /// Adds the contents of a page to the listings of all directories that it covers. They count as known from the time
    /// of the request.
    func absorb(_ page: PageCoverage, requestedAt: ContinuousClock.Instant) {
        if context.timeToLive.expiry(from: requestedAt).isOver(at: .now) { return }
        let ownPrefix = page.isDelimited ? page.prefix : nil
        let coverages = page.coverages(below: root, account: context.account)
        for coverage in coverages {
            let prefix = coverage.block.prefix
            let listing = state.withLock { state -> DirectoryListing? in
                // Under the same lock as the table, so that no invalidated listing comes back.
                if state.invalidated.contains(prefix, requestedAt: requestedAt) { return nil }
                return state.use(prefix, at: .now)
                    ?? state.insert(DirectoryListing(prefix: prefix, context: context, knownSince: requestedAt))
            }
            listing?.absorb(coverage, requestedAt: requestedAt, ownPage: prefix == ownPrefix ? page : nil)
        }
        dropReplaced()
        evict(besides: coverages.count)
    }

    /// Drops the listing of the directory of `prefix`, or of its whole tree, from memory and from the archive. Pages
    /// that were requested before this call no longer count.
    func invalidate(_ prefix: Key, _ extent: Namespace.Extent) {
        let invalidated = state.withLock { state in
            state.invalidated.note(prefix, extent, at: .now)
            let invalidated = state.listings(prefix, extent)
            for listing in invalidated { state.listings[listing.prefix] = nil }
            return invalidated
        }
        // Their memory is freed outside of the lock.
        budget.noteDropped(invalidated)
        context.invalidateArchived(prefix, extent)
    }

    // MARK: Memory

    /// The most listings to examine at once, so that no caller waits long.
    private static let scanCountMax = 256

    /// Evicts listings if memory exceeds its limit. Called as pages arrive.
    func keepWithinLimit() { evict() }

    /// Notes that a reader has closed a listing, which couldn't be dropped until now.
    func noteEnd(ofReading listing: DirectoryListing) {
        if budget.noteReleasable(listing) { evict() }
    }

    /// Drops the least recently used listings while memory exceeds its limit. A caller that holds one of them may go on
    /// using it.
    ///
    /// - Parameter addedCount: The most listings that were added since the last call.
    private func evict(besides addedCount: Int = 0) {
        guard let excess = budget.beginEviction() else { return }
        var gone: [DirectoryListing] = []
        var byteCount = 0
        var scanCount = Self.scanCountMax + 2 * addedCount
        while byteCount < excess, let listing = state.withLock({ $0.takeColdest(scanning: &scanCount) }) {
            byteCount += listing.byteCount
            gone.append(listing)
        }
        budget.endEviction(of: gone, isOver: byteCount >= excess || scanCount > 0)
    }

    private func dropReplaced() {
        let replaced = state.withLock { state in
            defer { state.replaced = [] }
            return state.replaced
        }
        if !replaced.isEmpty { budget.noteDropped(replaced) }
    }

    // MARK: How much is known

    /// Returns the end of the range, beginning at a key, in which everything in all directories is known; `nil` if that
    /// is the end of `root`.
    ///
    /// - Parameters:
    ///   - key: The beginning of the range. A key before `root` means the beginning of `root`. For a key behind `root`
    ///     the result is `nil`.
    ///   - root: The prefix of a directory.
    ///   - limit: The most directories to examine. The range ends with the last of them.
    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key? {
        if !key.hasPrefix(root) && key > root { return nil }
        let now = ContinuousClock.now
        var (directory, sortKey) = innermostDirectory(with: max(key, root), below: root)
        for _ in 0..<limit {
            guard let listing = known(directory), !listing.expiry.isOver(at: now) else {
                return directory.appending(sortKey.bytes)
            }
            switch listing.nextSubdirectory(from: sortKey) {
            case .name(let name):
                directory = directory.appending(name + [Key.delimiter])
                sortKey = .empty
            case .unknown(let sortKey):
                return directory.appending(sortKey.bytes)
            case .none:
                guard directory != root, let parent = directory.parentPrefix, let next = directory.endOfPrefix else {
                    return nil
                }
                sortKey = next.dropping(parent.bytes.count)
                directory = parent
            }
        }
        return directory.appending(sortKey.bytes)
    }

    /// Returns the innermost directory of `key` that isn't known to be missing, and the key's sort key in it.
    private func innermostDirectory(with key: Key, below root: Key) -> (Key, Key) {
        var directory = root
        while true {
            let byteCount = directory.bytes.count
            guard let end = key.bytes[byteCount...].firstIndex(of: Key.delimiter) else {
                return (directory, key.dropping(byteCount))
            }
            let sortKey = key.bytes[byteCount...end]
            if case .absent = known(directory)?.entry(at: Array(sortKey)) {
                return (directory, Key(sortKey).endOfPrefix ?? Key(sortKey))
            }
            directory = Key(key.bytes[...end])
        }
    }
}

extension DirectoryCache.State {
    /// Returns the listing of `prefix` and counts a use; `nil` if it has expired.
    mutating func use(_ prefix: Key, at now: ContinuousClock.Instant) -> DirectoryListing? {
        guard let listing = listings[prefix], !listing.expiry.isOver(at: now) else { return nil }
        note(listing)
        return listing
    }

    /// Adds a new listing in place of an older one of its directory.
    mutating func insert(_ listing: DirectoryListing) -> DirectoryListing {
        note(listing)
        if let old = listings.updateValue(listing, forKey: listing.prefix) {
            replaced.append(old)
        } else {
            lru.add(listing)
            if lru.count > 2 * listings.count + 1_024 { lru.clean(keeping: listings) }
        }
        return listing
    }

    /// Removes and returns the least recently used listing.
    mutating func takeColdest(scanning scanCount: inout Int) -> DirectoryListing? {
        let listing = lru.next(in: listings, scanning: &scanCount)
        if let listing { listings[listing.prefix] = nil }
        return listing
    }

    /// Adds a listing from the archive in place of `known`, unless another one has replaced that already.
    mutating func replace(_ known: DirectoryListing?, by archived: DirectoryListing) -> DirectoryListing {
        if let current = listings[archived.prefix], current !== known, !current.expiry.isOver(at: .now) {
            return current
        }
        return insert(archived)
    }

    /// Returns the listing of the directory of `prefix`, or the listings of its whole tree.
    func listings(_ prefix: Key, _ extent: Namespace.Extent) -> [DirectoryListing] {
        switch extent {
        case .directory: listings[prefix].map { [$0] } ?? []
        case .tree: listings.values.filter { extent.contains($0.prefix, in: prefix) }
        }
    }

    private mutating func note(_ listing: DirectoryListing) {
        useCount += 1
        listing.lastUse.store(useCount, ordering: .relaxed)
    }
}
