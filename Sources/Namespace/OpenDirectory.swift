public import ObjectStore
import Synchronization

/// A directory whose entries are being read.
///
/// It uses one snapshot of the listing, even if that expires, so that an index means the same entry until the end.
/// Restarting from the first entry (`rewinddir`) switches to the current listing.
public final class OpenDirectory: Sendable {
    /// The directory.
    public let inode: Inode
    private let cache: DirectoryCache
    private let prefetcher: WalkPrefetcher
    private let inodes: InodeTable
    private let listing: Mutex<DirectoryListing>

    init(inode: Inode, listing: DirectoryListing, cache: DirectoryCache, prefetcher: WalkPrefetcher, inodes: InodeTable)
    {
        self.inode = inode
        self.cache = cache
        self.prefetcher = prefetcher
        self.inodes = inodes
        listing.beginReading()
        self.listing = Mutex(listing)
    }

    deinit {
        let listing = listing.withLock { $0 }
        listing.endReading()
        cache.noteEnd(ofReading: listing)
    }

    /// Returns entries from `index` on: at least one, or none at the end of the directory. More may follow.
    ///
    /// - Parameters:
    ///   - index: 0, or the index behind an entry that was returned before.
    ///   - isRestart: `true` to begin again, with the current listing.
    public func entries(
        from index: Int, isRestart: Bool, completion: @escaping @Sendable (Result<DirectorySlice, StoreError>) -> Void
    ) {
        let listing = listing.withLock { listing in
            if isRestart {
                let renewed = cache.listing(inode.key)
                renewed.beginReading()
                listing.endReading()
                listing = renewed
            }
            return listing
        }
        // One folder may be bigger than the whole limit.
        cache.keepWithinLimit()
        // First, so that the reader waits for a page of the prefetch instead of requesting its own.
        if index == 0 { prefetcher.noteRead(listing) }
        listing.entries(from: index) { result in
            // Before the entries are returned.
            if case .success = result { listing.writeEntries() }
            completion(result)
        }
    }

    /// The id of the listing in the log for the next process; 0 if there is no log. A restart changes it.
    public var listingID: UInt64 { listing.withLock { $0.logID } }

    /// Writes the entries that were returned to the log.
    public func writeEntries() {
        listing.withLock { $0 }.writeEntries()
    }

    /// The time at which the entries expire.
    public var expiry: Expiry {
        listing.withLock { $0.expiry }
    }

    /// The identity of the listing that this directory reads. Directories with the same identity have the same entries
    /// at the same indices. Valid while this directory is open and isn't restarted.
    public var listingIdentity: ObjectIdentifier {
        listing.withLock { ObjectIdentifier($0) }
    }

    /// The epoch that `noteKernelCopy` last stored for this listing; 0 for none.
    public var kernelCopyEpoch: UInt64 {
        listing.withLock { $0.kernelCopyEpoch.load(ordering: .sequentiallyConsistent) }
    }

    /// Stores with the listing, for all directories that read it, that the kernel has begun a copy of it in an epoch.
    public func noteKernelCopy(epoch: UInt64) {
        listing.withLock { $0.kernelCopyEpoch.store(epoch, ordering: .sequentiallyConsistent) }
    }

    /// Counts a lookup of an entry of this directory and returns its inode. The reply that contains it must be sent
    /// (`readdirplus`), or `Namespace.forget` must take the lookup back.
    ///
    /// - Parameter number: The entry's inode number.
    public func recordLookup(_ entry: ListedEntry, number: UInt64) -> InodeID {
        inodes.recordLookup(entry.index, of: entry.block, number: number)
    }

    /// The inode number of the parent directory; the root's own for the root.
    public var parentInodeNumber: UInt64 {
        if inode.id == .root { return inode.number }
        let components = inode.key.bytes.dropLast()
        let parentEnd = components.lastIndex(of: Key.delimiter).map { $0 + 1 } ?? 0
        return Inode.number(of: Key(components[..<parentEnd]))
    }
}
