import DequeModule
import ObjectStore
import Synchronization

/// Listings in the order of their last uses, about: what was used since it was looked at last goes to the end when its turn
/// comes, instead of at each use. So nobody waits for a hundred thousand of them to be sorted.
struct ListingLRU {
    private struct Use {
        let prefix: Key
        /// The listing's last use when it was put here.
        let lastUse: Int
    }

    private var uses: Deque<Use> = []

    /// How many uses there are, listings that have gone meanwhile included.
    var count: Int { uses.count }

    mutating func add(_ listing: DirectoryListing) {
        uses.append(Use(prefix: listing.prefix, lastUse: listing.lastUse.load(ordering: .relaxed)))
    }

    /// The one that nobody has used for the longest time and nobody reads: dropping what is read would free nothing, and have
    /// it listed again.
    ///
    /// - Parameter scanCount: How many to look at, at the most; counted down.
    mutating func next(in listings: [Key: DirectoryListing], scanning scanCount: inout Int) -> DirectoryListing? {
        while scanCount > 0, let use = uses.popFirst() {
            scanCount -= 1
            guard let listing = listings[use.prefix] else { continue }
            if !listing.isRead, listing.lastUse.load(ordering: .relaxed) == use.lastUse { return listing }
            add(listing)
        }
        return nil
    }

    /// Forgets the uses of listings that have gone.
    mutating func clean(keeping listings: [Key: DirectoryListing]) {
        var known: Set<Key> = []
        uses.removeAll { listings[$0.prefix] == nil || !known.insert($0.prefix).inserted }
    }
}
