import ObjectStore

/// What is known of the tree, as walk-ahead looks at it: what is in memory, and, where the next question is, what the archive
/// has.
struct WalkedListings: WalkedTree {
    let tree: KnownTree
    /// Whether listings outlive the process.
    let hasArchive: Bool

    /// How many listings are taken from the archive at once: each is read from the disk.
    private static let archivedCountMax = 32

    func knownEnd(from key: Key, below root: Key, visiting limit: Int) -> Key? {
        var position = key
        var archivedCount = 0
        while let end = tree.knownEnd(from: position, below: root, visiting: limit) {
            position = end
            guard hasArchive, archivedCount < WalkedListings.archivedCountMax, end.endsInDelimiter, !isListed(end),
                tree.listing(end).isComplete
            else { return end }
            archivedCount += 1
        }
        return nil
    }

    func subdirectories(of prefix: Key, from position: [UInt8], limit: Int) -> [[UInt8]] {
        tree.known(prefix)?.knownSubdirectories(from: position, limit: limit) ?? []
    }

    func isListed(_ prefix: Key) -> Bool {
        guard let listing = tree.known(prefix), !listing.expiry.isOver(at: .now) else { return false }
        return listing.isComplete || listing.entryCount > 0
    }

    func isComplete(_ prefix: Key) -> Bool {
        guard let listing = tree.known(prefix), !listing.expiry.isOver(at: .now) else { return false }
        return listing.isComplete
    }
}
