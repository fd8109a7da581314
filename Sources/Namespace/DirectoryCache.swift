import ObjectStore
import Synchronization

/// What is known of the directories of a mount: a listing for each of those that somebody asked for, or that a page told of,
/// the ones used lately of them.
final class DirectoryCache: Sendable {
    /// The prefix of the mount's root.
    let root: Key
    private let context: ListingContext
    private let budget: MetadataBudget
    private let state = Mutex(State())

    fileprivate struct State {
        var listings: [Key: DirectoryListing] = [:]
        /// Counts uses, as a clock of which listing was used before which.
        var useCount = 0
        /// Which of them to let go of first.
        var lru = ListingLRU()
        /// Listings that others have taken the place of.
        var replaced: [DirectoryListing] = []
        /// Of what pages that were asked for before are worthless.
        var invalidated = InvalidatedPrefixes()
    }

    /// - Parameters:
    ///   - root: The prefix of the mount's root.
    ///   - budget: How much memory may be used.
    init(root: Key, context: ListingContext, budget: MetadataBudget) {
        self.root = root
        self.context = context
        self.budget = budget
    }

    /// The pages that are asked for ahead of anybody's need.
    var pagesInFlight: PagesInFlight { context.pages }

    /// The listing of the directory of `prefix`, which ends in "/" or is empty; begun anew where it has expired. The time of
    /// a new one starts now, before the first request is sent, so that no answer is older than the time to live.
    func listing(_ prefix: Key) -> DirectoryListing {
        let now = ContinuousClock.now
        evict()
        let known = state.withLock { $0.use(prefix, at: now) }
        if let known, known.isComplete || known.hasTriedArchive.load(ordering: .relaxed) { return known }
        // The archive is on the disk, so it isn't asked under the lock.
        defer { letGoOfReplaced() }
        if let archived = context.archivedListing(prefix) {
            let taken = state.withLock { state in
                // It may have been invalidated while it was read.
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

    /// How many directories something is known of, be its time over or not.
    var listingCount: Int {
        state.withLock { $0.listings.count }
    }

    /// What is known of the directory of `prefix`, be its time over or not; `nil` where that is nothing. That doesn't count
    /// as a use.
    func known(_ prefix: Key) -> DirectoryListing? {
        state.withLock { $0.listings[prefix] }
    }

    /// Takes what a page tells of the directories of the tree. It counts as true from when it was asked for.
    func absorb(_ page: PageCoverage, requestedAt: ContinuousClock.Instant) {
        if context.timeToLive.expiry(from: requestedAt).isOver(at: .now) { return }
        let ownPrefix = page.isDelimited ? page.prefix : nil
        let coverages = page.coverages(below: root, account: context.account)
        for coverage in coverages {
            let prefix = coverage.block.prefix
            let listing = state.withLock { state -> DirectoryListing? in
                // Looked at together with the table, so that none that was invalidated comes back.
                if state.invalidated.contains(prefix, requestedAt: requestedAt) { return nil }
                return state.use(prefix, at: .now)
                    ?? state.insert(DirectoryListing(prefix: prefix, context: context, knownSince: requestedAt))
            }
            listing?.absorb(coverage, requestedAt: requestedAt, ownPage: prefix == ownPrefix ? page : nil)
        }
        letGoOfReplaced()
        evict(besides: coverages.count)
    }

    /// Forgets what is known of the directory of `prefix`, or of all below it too, the archive included. Pages that were asked
    /// for before and come later are worthless.
    func invalidate(_ prefix: Key, _ extent: Namespace.Extent) {
        let invalidated = state.withLock { state in
            state.invalidated.note(prefix, extent, at: .now)
            let invalidated = state.listings(prefix, extent)
            for listing in invalidated { state.listings[listing.prefix] = nil }
            return invalidated
        }
        // Their memory goes when they do, outside of the lock.
        budget.noteGone(invalidated)
        context.invalidateArchived(prefix, extent)
    }

    // MARK: Memory

    /// How many listings are looked at in one go, so that nobody waits for it.
    private static let scanCountMax = 256

    /// Sees to it that memory stays within its limit, as pages come.
    func keepWithinLimit() { evict() }

    /// Somebody has read a listing, which could not be dropped meanwhile.
    func noteEnd(ofReading listing: DirectoryListing) {
        if budget.noteReleasable(listing) { evict() }
    }

    /// Lets go of the listings that were not used for the longest time, where there is too much in memory. Who has one of
    /// them in hand keeps it.
    ///
    /// - Parameter addedCount: How many listings have come since the last time, at the most.
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

    private func letGoOfReplaced() {
        let replaced = state.withLock { state in
            defer { state.replaced = [] }
            return state.replaced
        }
        if !replaced.isEmpty { budget.noteGone(replaced) }
    }

    // MARK: How much is known

    /// Up to where everything, in all directories, is known from a key on; `nil` where that is the end of `root`.
    ///
    /// - Parameters:
    ///   - key: One before all that is below `root` stands for the first of these; behind it, all is known to its end.
    ///   - root: The prefix of a directory.
    ///   - limit: How many directories to look into at the most. What is known beyond isn't told.
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

    /// The innermost directory that `key` is in and that isn't known to be missing, and the key's sortKey in it.
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
    /// The listing of `prefix`, unless its time is over, with one use more.
    mutating func use(_ prefix: Key, at now: ContinuousClock.Instant) -> DirectoryListing? {
        guard let listing = listings[prefix], !listing.expiry.isOver(at: now) else { return nil }
        note(listing)
        return listing
    }

    /// Takes in a new listing, in place of an older one of its directory.
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

    /// Takes out the listing that nobody has used for the longest time.
    mutating func takeColdest(scanning scanCount: inout Int) -> DirectoryListing? {
        let listing = lru.next(in: listings, scanning: &scanCount)
        if let listing { listings[listing.prefix] = nil }
        return listing
    }

    /// Takes in a listing from the archive in place of `known`, unless there is another one by now.
    mutating func replace(_ known: DirectoryListing?, by archived: DirectoryListing) -> DirectoryListing {
        if let current = listings[archived.prefix], current !== known, !current.expiry.isOver(at: .now) {
            return current
        }
        return insert(archived)
    }

    /// The listings of the directory of `prefix`, or of all from it on down.
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
