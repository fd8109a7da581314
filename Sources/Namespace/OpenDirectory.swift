public import ObjectStore
import Synchronization

/// A directory that somebody reads the entries of.
///
/// It keeps to one edition of the listing, also when that expires meanwhile, so that an index means the same entry until the end;
/// starting again from the first entry (`rewinddir`) starts with what is known by then.
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

    /// Entries from `index` on, at least one, or none at the end of the directory. More may follow behind those given.
    ///
    /// - Parameters:
    ///   - index: 0, or the index behind an entry that was given before.
    ///   - isRestart: Whether the reading begins (again): then it is of what is known now.
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
        // A folder may be bigger than all there is memory for.
        cache.keepWithinLimit()
        // First, so that what is asked for ahead of a walk is what this reader waits for.
        if index == 0 { prefetcher.noteRead(listing) }
        listing.entries(from: index) { result in
            // Before the entries are given.
            if case .success = result { listing.writeEntries() }
            completion(result)
        }
    }

    /// What the listing is called in the log that outlives this process; 0 where there is none. Another one after a restart.
    public var listingID: UInt64 { listing.withLock { $0.logID } }

    /// Writes to the log what has been given of the entries.
    public func writeEntries() {
        listing.withLock { $0 }.writeEntries()
    }

    /// Until when the entries hold.
    public var expiry: Expiry {
        listing.withLock { $0.expiry }
    }

    /// Tells apart the listings that open directories give the entries of: those of one have the same entries at the same
    /// indices. Holds while this directory is open and isn't restarted.
    public var listingIdentity: ObjectIdentifier {
        listing.withLock { ObjectIdentifier($0) }
    }

    /// What `noteKernelCopy` was last told of this listing; 0 for nothing.
    public var kernelCopyEpoch: UInt64 {
        listing.withLock { $0.kernelCopyEpoch.load(ordering: .sequentiallyConsistent) }
    }

    /// Notes with the listing, for all who open it, that the kernel has begun to copy it in an epoch, which is theirs to
    /// count.
    public func noteKernelCopy(epoch: UInt64) {
        listing.withLock { $0.kernelCopyEpoch.store(epoch, ordering: .sequentiallyConsistent) }
    }

    /// The inode of an entry of this directory, counted as a lookup by the kernel: the reply that tells of it must be
    /// sent (`readdirplus`), or the lookup be taken back with `Namespace.forget`.
    ///
    /// - Parameter number: The entry's inode number.
    public func recordLookup(_ entry: ListedEntry, number: UInt64) -> InodeID {
        inodes.recordLookup(entry.index, of: entry.block, number: number)
    }

    /// The inode number of the directory that this one is in; the root's own for the root.
    public var parentInodeNumber: UInt64 {
        if inode.id == .root { return inode.number }
        let components = inode.key.bytes.dropLast()
        let parentEnd = components.lastIndex(of: Key.delimiter).map { $0 + 1 } ?? 0
        return Inode.number(of: Key(components[..<parentEnd]))
    }
}
