import ObjectStore
import Synchronization

/// What is known of the directories of a mount: a listing for each of those that somebody asked for, or that a page told of,
/// the ones used lately of them.
final class KnownTree: Sendable {
    /// The prefix of the mount's root.
    let root: Key
    private let source: ListingSource
    private let budget: MetadataBudget
    private let state = Mutex(State())

    fileprivate struct State {
        var listings: [Key: Listing] = [:]
        /// Counts uses, as a clock of which listing was used before which.
        var useCount = 0
        /// Which of them to let go of first.
        var cold = ColdListings()
        /// Listings that others have taken the place of.
        var replaced: [Listing] = []
        /// Of what pages that were asked for before are worthless.
        var forgotten = ForgottenPrefixes()
    }

    /// - Parameters:
    ///   - root: The prefix of the mount's root.
    ///   - budget: How much memory may be used.
    init(root: Key, source: ListingSource, budget: MetadataBudget) {
        self.root = root
        self.source = source
        self.budget = budget
    }

    /// The pages that are asked for ahead of anybody's need.
    var pagesUnderWay: PagesUnderWay { source.pages }

    /// The listing of the directory of `prefix`, which ends in "/" or is empty; begun anew where it has expired. The time of
    /// a new one starts now, before the first request is sent, so that no answer is older than the time to live.
    func listing(_ prefix: Key) -> Listing {
        let now = ContinuousClock.now
        evict()
        let known = state.withLock { $0.use(prefix, at: now) }
        if let known, known.isComplete || known.isArchiveAsked.load(ordering: .relaxed) { return known }
        // The archive is on the disk, so it isn't asked under the lock.
        defer { letGoOfReplaced() }
        if let archived = source.archivedListing(prefix) {
            let taken = state.withLock { state in
                // It may have been forgotten while it was read.
                state.forgotten.contains(prefix, askedAt: now) ? nil : state.replace(known, by: archived)
            }
            if let taken { return taken }
        }
        let listing =
            known
            ?? state.withLock { state in
                state.use(prefix, at: now) ?? state.insert(Listing(prefix: prefix, source: source, knownSince: now))
            }
        listing.isArchiveAsked.store(true, ordering: .relaxed)
        return listing
    }

    /// How many directories something is known of, be its time over or not.
    var listingCount: Int {
        state.withLock { $0.listings.count }
    }

    /// What is known of the directory of `prefix`, be its time over or not; `nil` where that is nothing. That doesn't count
    /// as a use.
    func known(_ prefix: Key) -> Listing? {
        state.withLock { $0.listings[prefix] }
    }

    /// Takes what a page tells of the directories of the tree. It counts as true from when it was asked for.
    func absorb(_ page: ProvenPage, askedAt: ContinuousClock.Instant) {
        if source.timeToLive.expiry(from: askedAt).isOver(at: .now) { return }
        let ownPrefix = page.isDelimited ? page.prefix : nil
        let sections = page.sections(below: root, account: source.account)
        for section in sections {
            let prefix = section.block.prefix
            let listing = state.withLock { state -> Listing? in
                // Looked at together with the table, so that none that was forgotten comes back.
                if state.forgotten.contains(prefix, askedAt: askedAt) { return nil }
                return state.use(prefix, at: .now)
                    ?? state.insert(Listing(prefix: prefix, source: source, knownSince: askedAt))
            }
            listing?.absorb(section, askedAt: askedAt, ownPage: prefix == ownPrefix ? page : nil)
        }
        letGoOfReplaced()
        evict(besides: sections.count)
    }

    /// Forgets what is known of the directory of `prefix`, or of all below it too, the archive included. Pages that were asked
    /// for before and come later are worthless.
    func forget(_ prefix: Key, _ extent: Namespace.Extent) {
        let forgotten = state.withLock { state in
            state.forgotten.note(prefix, extent, at: .now)
            let forgotten = state.listings(prefix, extent)
            for listing in forgotten { state.listings[listing.prefix] = nil }
            return forgotten
        }
        // Their memory goes when they do, outside of the lock.
        budget.noteGone(forgotten)
        source.forgetArchived(prefix, extent)
    }

    // MARK: Memory

    /// How many listings are looked at in one go, so that nobody waits for it.
    private static let lookCountMax = 256

    /// Sees to it that memory stays within its limit, as pages come.
    func keepWithinLimit() { evict() }

    /// Somebody has read a listing, which could not be dropped meanwhile.
    func noteEnd(ofReading listing: Listing) {
        if budget.noteReleasable(listing) { evict() }
    }

    /// Lets go of the listings that were not used for the longest time, where there is too much in memory. Who has one of
    /// them in hand keeps it.
    ///
    /// - Parameter addedCount: How many listings have come since the last time, at the most.
    private func evict(besides addedCount: Int = 0) {
        guard let excess = budget.beginEviction() else { return }
        var gone: [Listing] = []
        var byteCount = 0
        var lookCount = Self.lookCountMax + 2 * addedCount
        while byteCount < excess, let listing = state.withLock({ $0.takeColdest(looking: &lookCount) }) {
            byteCount += listing.byteCount
            gone.append(listing)
        }
        budget.endEviction(of: gone, isOver: byteCount >= excess || lookCount > 0)
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
        var (directory, position) = innermostDirectory(with: max(key, root), below: root)
        for _ in 0..<limit {
            guard let listing = known(directory), !listing.expiry.isOver(at: now) else {
                return directory.appending(position.bytes)
            }
            switch listing.nextSubdirectory(from: position) {
            case .name(let name):
                directory = directory.appending(name + [Key.delimiter])
                position = .empty
            case .unproven(let position):
                return directory.appending(position.bytes)
            case .none:
                guard directory != root, let parent = directory.parentPrefix, let next = directory.endOfPrefix else {
                    return nil
                }
                position = next.dropping(parent.bytes.count)
                directory = parent
            }
        }
        return directory.appending(position.bytes)
    }

    /// The innermost directory that `key` is in and that isn't known to be missing, and the key's position in it.
    private func innermostDirectory(with key: Key, below root: Key) -> (Key, Key) {
        var directory = root
        while true {
            let byteCount = directory.bytes.count
            guard let end = key.bytes[byteCount...].firstIndex(of: Key.delimiter) else {
                return (directory, key.dropping(byteCount))
            }
            let position = key.bytes[byteCount...end]
            if case .absent = known(directory)?.entry(at: Array(position)) {
                return (directory, Key(position).endOfPrefix ?? Key(position))
            }
            directory = Key(key.bytes[...end])
        }
    }
}

extension KnownTree.State {
    /// The listing of `prefix`, unless its time is over, with one use more.
    mutating func use(_ prefix: Key, at now: ContinuousClock.Instant) -> Listing? {
        guard let listing = listings[prefix], !listing.expiry.isOver(at: now) else { return nil }
        note(listing)
        return listing
    }

    /// Takes in a new listing, in place of an older one of its directory.
    mutating func insert(_ listing: Listing) -> Listing {
        note(listing)
        if let old = listings.updateValue(listing, forKey: listing.prefix) {
            replaced.append(old)
        } else {
            cold.add(listing)
            if cold.count > 2 * listings.count + 1_024 { cold.clean(keeping: listings) }
        }
        return listing
    }

    /// Takes out the listing that nobody has used for the longest time.
    mutating func takeColdest(looking lookCount: inout Int) -> Listing? {
        let listing = cold.next(in: listings, looking: &lookCount)
        if let listing { listings[listing.prefix] = nil }
        return listing
    }

    /// Takes in a listing from the archive in place of `known`, unless there is another one by now.
    mutating func replace(_ known: Listing?, by archived: Listing) -> Listing {
        if let current = listings[archived.prefix], current !== known, !current.expiry.isOver(at: .now) {
            return current
        }
        return insert(archived)
    }

    /// The listings of the directory of `prefix`, or of all from it on down.
    func listings(_ prefix: Key, _ extent: Namespace.Extent) -> [Listing] {
        switch extent {
        case .directory: listings[prefix].map { [$0] } ?? []
        case .tree: listings.values.filter { extent.contains($0.prefix, in: prefix) }
        }
    }

    private mutating func note(_ listing: Listing) {
        useCount += 1
        listing.lastUse.store(useCount, ordering: .relaxed)
    }
}
