import ObjectStore

/// The known part of the tree, for prefetches: the listings in memory, and those of the archive where the next request
/// would begin.
struct CachedTreeView: TreeView {
    let cache: DirectoryCache
    /// `true` if listings outlive the process.
    let hasArchive: Bool

    /// The most listings to read from the archive at once: each one is a disk access.
    private static let archivedCountMax = 32

    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key? {
        var start = key
        var archivedCount = 0
        while let end = cache.knownEnd(from: start, below: root, visiting: limit) {
            start = end
            guard hasArchive, archivedCount < CachedTreeView.archivedCountMax, end.endsInDelimiter, !isListed(end),
                cache.listing(end).isComplete
            else { return end }
            archivedCount += 1
        }
        return nil
    }

    func subdirectories(of prefix: Key, from sortKey: [UInt8], limit: Int) -> [[UInt8]] {
        cache.known(prefix)?.knownSubdirectories(from: sortKey, limit: limit) ?? []
    }

    func isListed(_ prefix: Key) -> Bool {
        guard let listing = cache.known(prefix), !listing.expiry.isOver(at: .now) else { return false }
        return listing.isComplete || listing.entryCount > 0
    }

    func isComplete(_ prefix: Key) -> Bool {
        guard let listing = cache.known(prefix), !listing.expiry.isOver(at: .now) else { return false }
        return listing.isComplete
    }
}
