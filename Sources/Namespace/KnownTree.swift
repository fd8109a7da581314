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
        /// Pages that were asked for before this moment are worthless.
        var forgottenAt: ContinuousClock.Instant?
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
        if let archived = source.archivedListing(prefix) {
            return state.withLock { $0.replace(known, by: archived) }
        }
        let listing =
            known
            ?? state.withLock { state in
                state.use(prefix, at: now) ?? state.insert(Listing(prefix: prefix, source: source, knownSince: now))
            }
        listing.isArchiveAsked.store(true, ordering: .relaxed)
        return listing
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
        for section in page.sections(below: root, account: source.account) {
            let prefix = section.block.prefix
            let listing = state.withLock { state -> Listing? in
                // Looked at together with the table, so that none that was forgotten comes back.
                if let forgottenAt = state.forgottenAt, askedAt <= forgottenAt { return nil }
                return state.use(prefix, at: .now)
                    ?? state.insert(Listing(prefix: prefix, source: source, knownSince: askedAt))
            }
            listing?.absorb(section, askedAt: askedAt, isOwnPage: prefix == ownPrefix)
        }
        evict()
    }

    /// Forgets what is known of the directory of `prefix`, or all below it; of the archive, which can be listed again, all
    /// below it in any case. Pages that were asked for before and come later are worthless.
    func forget(_ prefix: Key, _ extent: Namespace.Extent) {
        let forgotten = state.withLock { state in
            state.forgottenAt = .now
            let forgotten = state.forgotten(prefix, extent)
            for key in forgotten.keys { state.listings[key] = nil }
            return forgotten
        }
        // Their memory goes when they do, outside of the lock.
        withExtendedLifetime(forgotten) {}
        source.forgetArchived(prefix, extent)
    }

    // MARK: Memory

    /// Lets go of the listings that were not used for the longest time, where there is too much in memory. Who has one of
    /// them in hand keeps it.
    private func evict() {
        guard let excess = budget.beginEviction() else { return }
        // A listing's use changes while they are sorted.
        let listings = state.withLock { Array($0.listings.values) }
            .map { (listing: $0, lastUse: $0.lastUse.load(ordering: .relaxed)) }
            .sorted { $0.lastUse < $1.lastUse }
        var gone: [Listing] = []
        var byteCount = 0
        for (listing, _) in listings where byteCount < excess {
            byteCount += listing.byteCount
            gone.append(listing)
        }
        state.withLock { state in
            for listing in gone where state.listings[listing.prefix] === listing {
                state.listings[listing.prefix] = nil
            }
        }
        budget.endEviction(of: gone)
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
        listings[listing.prefix] = listing
        note(listing)
        return listing
    }

    /// Takes in a listing from the archive in place of `known`, unless there is another one by now.
    mutating func replace(_ known: Listing?, by archived: Listing) -> Listing {
        if let current = listings[archived.prefix], current !== known, !current.expiry.isOver(at: .now) {
            return current
        }
        return insert(archived)
    }

    /// The listings that are to be forgotten with the directory of `prefix`.
    func forgotten(_ prefix: Key, _ extent: Namespace.Extent) -> [Key: Listing] {
        switch extent {
        case .directory: listings[prefix].map { [prefix: $0] } ?? [:]
        case .tree: listings.filter { $0.key.hasPrefix(prefix) }
        }
    }

    private mutating func note(_ listing: Listing) {
        useCount += 1
        listing.lastUse.store(useCount, ordering: .relaxed)
    }
}
