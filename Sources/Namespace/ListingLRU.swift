import DequeModule
import ObjectStore
import Synchronization

/// Listings in the approximate order of their last use. A listing that was used since it was examined moves to the end
/// when its turn comes, not at each use, so a hundred thousand listings never have to be sorted.
struct ListingLRU {
    private struct Use {
        let prefix: Key
        /// The time of the listing's last use when it was added here.
        let lastUse: Int
    }

    private var uses: Deque<Use> = []

    /// The number of listings, including those that were dropped meanwhile.
    var count: Int { uses.count }

    mutating func add(_ listing: DirectoryListing) {
        uses.append(Use(prefix: listing.prefix, lastUse: listing.lastUse.load(ordering: .relaxed)))
    }

    /// Removes and returns the least recently used listing without readers. Dropping one with readers would free
    /// nothing and cause another request.
    ///
    /// - Parameter scanCount: The most listings to examine; counted down.
    mutating func next(in listings: [Key: DirectoryListing], scanning scanCount: inout Int) -> DirectoryListing? {
        while scanCount > 0, let use = uses.popFirst() {
            scanCount -= 1
            guard let listing = listings[use.prefix] else { continue }
            if !listing.isRead, listing.lastUse.load(ordering: .relaxed) == use.lastUse { return listing }
            add(listing)
        }
        return nil
    }

    /// Removes listings that were dropped.
    mutating func clean(keeping listings: [Key: DirectoryListing]) {
        var known: Set<Key> = []
        uses.removeAll { listings[$0.prefix] == nil || !known.insert($0.prefix).inserted }
    }
}
