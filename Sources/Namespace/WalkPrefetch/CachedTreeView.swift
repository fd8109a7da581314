import ObjectStore

/// What is known of the tree, as walk-ahead looks at it: what is in memory, and, where the next question is, what the archive
/// has.
struct CachedTreeView: TreeView {
    let cache: DirectoryCache
    /// Whether listings outlive the process.
    let hasArchive: Bool

    /// How many listings are taken from the archive at once: each is read from the disk.
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
