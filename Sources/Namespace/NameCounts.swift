import Synchronization

/// How lookups were answered since the start, and what is known of names.
public struct NameCounts: Sendable {
    /// How many lookups there were: the kernel asks for a name when it doesn't know it any more.
    public let lookupCount: Int
    /// How many of them had to wait for a page of a listing.
    public let lookupMissCount: Int
    /// How many listings were taken from the archive.
    public let archivedListingCount: Int
    /// How many directories something is known of.
    public let listingCount: Int
    /// How many inodes the kernel knows.
    public let inodeCount: Int
    /// What listings and inodes take in memory, in bytes.
    public let byteCount: Int
    /// What they may take, about.
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
    /// How lookups were answered so far, and what is known.
    public var counts: NameCounts {
        NameCounts(
            lookupCount: meter.lookupCount, lookupMissCount: meter.missCount,
            archivedListingCount: context.archivedListingCount.load(ordering: .relaxed),
            listingCount: cache.listingCount, inodeCount: inodeCount, byteCount: budget.byteCount,
            byteLimit: metadataByteLimit)
    }
}
