import Synchronization

/// Counts of lookups since the start, and of the names in memory.
public struct NameCounts: Sendable {
    /// The number of lookups: the kernel sends one for a name that isn't in its cache.
    public let lookupCount: Int
    /// The number of lookups that waited for a page of a listing.
    public let lookupMissCount: Int
    /// The number of listings that came from the archive.
    public let archivedListingCount: Int
    /// The number of directories with a listing.
    public let listingCount: Int
    /// The number of inodes that the kernel knows.
    public let inodeCount: Int
    /// The memory of listings and inodes, in bytes.
    public let byteCount: Int
    /// The approximate limit of that memory.
    public let byteLimit: Int
}

/// Counts lookups.
final class LookupMeter: Sendable {
    private let lookups = Atomic<Int>(0)
    private let misses = Atomic<Int>(0)

    func note(isMiss: Bool) {
        lookups.add(1, ordering: .relaxed)
        if isMiss { misses.add(1, ordering: .relaxed) }
    }

    var lookupCount: Int { lookups.load(ordering: .relaxed) }
    var missCount: Int { misses.load(ordering: .relaxed) }
}

extension Namespace {
    /// The counts of lookups so far, and of the names in memory.
    public var counts: NameCounts {
        NameCounts(
            lookupCount: meter.lookupCount, lookupMissCount: meter.missCount,
            archivedListingCount: context.archivedListingCount.load(ordering: .relaxed),
            listingCount: cache.listingCount, inodeCount: inodeCount, byteCount: budget.byteCount,
            byteLimit: metadataByteLimit)
    }
}
