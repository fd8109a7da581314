import DequeModule
import ObjectStore
import Synchronization

/// Listings in the order of their last uses, about: what was used since it was looked at last goes to the end when its turn
/// comes, instead of at each use. So nobody waits for a hundred thousand of them to be sorted.
struct ColdListings {
    private struct Place {
        let prefix: Key
        /// The listing's last use when it was put here.
        let lastUse: Int
    }

    private var places: Deque<Place> = []

    /// How many places there are, listings that have gone meanwhile included.
    var count: Int { places.count }

    mutating func add(_ listing: Listing) {
        places.append(Place(prefix: listing.prefix, lastUse: listing.lastUse.load(ordering: .relaxed)))
    }

    /// The one that nobody has used for the longest time and nobody reads: dropping what is read would free nothing, and have
    /// it listed again.
    ///
    /// - Parameter lookCount: How many to look at, at the most; counted down.
    mutating func next(in listings: [Key: Listing], looking lookCount: inout Int) -> Listing? {
        while lookCount > 0, let place = places.popFirst() {
            lookCount -= 1
            guard let listing = listings[place.prefix] else { continue }
            if !listing.isRead, listing.lastUse.load(ordering: .relaxed) == place.lastUse { return listing }
            add(listing)
        }
        return nil
    }

    /// Forgets the places of listings that have gone.
    mutating func clean(keeping listings: [Key: Listing]) {
        var known: Set<Key> = []
        places.removeAll { listings[$0.prefix] == nil || !known.insert($0.prefix).inserted }
    }
}
