public import Logging
public import ObjectStore
public import StateLog
import Synchronization

/// The keys below a prefix of a bucket as a tree of directories and files.
///
/// Two kinds of state are deliberately separate. The *known* part of the bucket is a table of listings, one for each
/// directory. All users share a listing; it grows page by page, and expires as a whole. The *kernel's* part is a table
/// of inodes, each an unchanging version of an object, with the kernel's lookup count. Listings come and go within a
/// limit of memory and a time to live; an inode stays until the kernel forgets it. Lookups, negative ones included,
/// attributes and directory entries are all answered from the same listings through the same classification of keys.
///
/// A completion is called at once if the answer is known, and from a thread of the store otherwise.
public final class Namespace: Sendable {
    let context: ListingContext
    let cache: DirectoryCache
    let inodes: InodeTable
    let budget: MetadataBudget
    let meter = LookupMeter()
    let metadataByteLimit: Int
    private let prefetcher: WalkPrefetcher
    /// The listings that open directories of the former process have read, by their ids in the log.
    private let restoredListings = Mutex<[UInt64: DirectoryListing]>([:])
    /// The action of `onInvalidation`.
    private let invalidationAction = Mutex<InvalidationAction?>(nil)

    private struct InvalidationAction {
        let run: @Sendable () -> Void
    }

    /// A namespace of the keys that begin with `root`.
    ///
    /// - Parameters:
    ///   - store: The source of listings.
    ///   - root: A key that ends in "/", or the empty one for the whole bucket.
    ///   - timeToLive: The time until a listing expires.
    ///   - requestTimeout: The timeout of one page, retries included.
    ///   - metadataByteLimit: The approximate limit of the memory for listings and inodes.
    ///   - archive: The archive of complete listings.
    ///   - log: The log for the next process (`restore`).
    ///   - logger: The logger for hidden keys and disorder of the store.
    public init(
        store: any ObjectStore, root: Key, timeToLive: TimeToLive, requestTimeout: Duration,
        metadataByteLimit: Int, archive: (any ListingArchive)? = nil, log: StateLog? = nil, logger: Logger
    ) {
        context = ListingContext(
            store: store, timeToLive: timeToLive, requestTimeout: requestTimeout, metadataByteLimit: metadataByteLimit,
            archive: archive, log: log.map { EntryLog($0) }, logger: logger)
        inodes = InodeTable(rootKey: root, log: context.log)
        self.metadataByteLimit = metadataByteLimit
        budget = MetadataBudget(byteLimit: metadataByteLimit, account: context.account, inodes: inodes)
        cache = DirectoryCache(root: root, context: context, budget: budget)
        prefetcher = WalkPrefetcher(cache: cache, context: context)
        context.order.onDisproof { [weak self] prefix, key in self?.withdrawOrder(disprovedBy: key, in: prefix) }
    }

    /// Returns the inode with the kernel's id `id`; `nil` for one that the kernel has forgotten.
    public func inode(_ id: InodeID) -> Inode? {
        inodes.inode(id)
    }

    /// The number of inodes that the kernel knows, the root included.
    public var inodeCount: Int {
        inodes.count
    }

    /// The inode numbers of all inodes that the kernel knows. Slow.
    public var inodeNumbers: [UInt64] {
        inodes.numbers
    }

    /// Subtracts `count` lookups of an inode that the kernel has forgotten.
    public func forget(_ id: InodeID, count: UInt64) {
        inodes.forget(id, count: count)
    }

    /// The answer to a lookup.
    public struct Lookup: Sendable {
        /// The inode, counted as a lookup by the kernel; `nil` if there is no such name.
        public let inode: Inode?
        /// The time at which the answer expires.
        public let expiry: Expiry
    }

    /// Looks up a name in a directory.
    public func lookup(
        _ name: Name, in directory: Inode, completion: @escaping @Sendable (Result<Lookup, StoreError>) -> Void
    ) {
        let listing = cache.listing(directory.key)
        let isMiss = listing.lookup(name) { [inodes] result in
            completion(
                result.map { found in
                    Lookup(inode: found.map { inodes.recordLookup($0) }, expiry: listing.expiry)
                })
        }
        meter.note(isMiss: isMiss)
        if isMiss { prefetcher.noteMiss(directory.key) }
    }

    /// Sets the kernel's cache, for notifications.
    public func attach(_ kernel: any KernelCache) {
        budget.attach(kernel)
    }

    /// The kernel's cache; `nil` before the mount.
    var kernelCache: (any KernelCache)? {
        budget.kernelCache
    }

    /// Drops the listing of a directory or tree from memory and from the archive.
    public func invalidate(_ prefix: Key, _ extent: Extent) {
        cache.invalidate(prefix, extent)
    }

    /// Lists everything below a directory that isn't known, with many requests at once. Returns at once.
    ///
    /// - Returns: The progress of the listing.
    public func listTree(below prefix: Key) -> TreeListerProgress {
        let lister = TreeLister(below: prefix, cache: cache, context: context)
        lister.start()
        return lister.progress
    }

    /// Restores the inodes that the kernel knows from the log of the former process. Must be called once, before
    /// everything else. Throws if the log is incomplete.
    public func restore() throws(StateLogError) {
        guard let log = context.log else { return }
        let blocks = try log.blocks(account: context.account)
        try inodes.restore(from: blocks)
        let listings = try LoggedSlices(log.log).listings(of: blocks, context: context)
        restoredListings.withLock { $0 = listings }
        // Only inodes and open directories hold these blocks.
        budget.noteDropped(Array(blocks.values))
        log.log.own([.entryBlock, .inodeRow], by: inodes)
    }

    /// Opens the directory of a handle of the former process, with the same entries at the same indices.
    ///
    /// - Parameter listingID: The `OpenDirectory.listingID` of the handle.
    public func openDirectory(_ directory: Inode, restoring listingID: UInt64) -> OpenDirectory {
        let listing = restoredListings.withLock { listings in
            if let listing = listings[listingID], listing.prefix == directory.key { return listing }
            // It has returned no entries yet, but its handles go on sharing a listing.
            let listing = DirectoryListing(
                prefix: directory.key, context: context, knownSince: .now, restoredID: listingID)
            listings[listingID] = listing
            return listing
        }
        return OpenDirectory(
            inode: directory, listing: listing, cache: cache, prefetcher: prefetcher, inodes: inodes)
    }

    /// Ends the restoration: all open directories were restored.
    public func endRestoring() {
        restoredListings.withLock { $0 = [:] }
    }

    /// Opens a directory for reading its entries.
    public func openDirectory(_ directory: Inode) -> OpenDirectory {
        OpenDirectory(
            inode: directory, listing: cache.listing(directory.key), cache: cache, prefetcher: prefetcher,
            inodes: inodes)
    }

    /// `true` if all entries of the mount's root are known and there are some: an earlier mount has left them in the
    /// archive. Sends no request.
    public var isRootKnown: Bool {
        let listing = cache.listing(cache.root)
        return listing.isComplete && listing.entryCount > 0
    }

    /// Adds a page that the caller has listed for another purpose. A page that proves nothing is ignored. A page that
    /// disproves the store's order has the same effect as any other.
    ///
    /// - Parameters:
    ///   - request: The request, without a continuation token.
    ///   - requestedAt: The time of the request.
    public func absorb(_ page: ListPage, of request: ListRequest, requestedAt: ContinuousClock.Instant) {
        guard let coverage = try? context.coverage(of: page, answering: request) else {
            if !context.order.isTrusted, request.prefix == cache.root, request.isDelimited {
                cache.listing(cache.root).collectWhole(page, requestedAt: requestedAt)
            }
            return
        }
        cache.absorb(coverage, requestedAt: requestedAt)
    }

    /// Sets the action to run if the store turns out not to list in order, before the kernel's names are invalidated.
    public func onInvalidation(_ action: @escaping @Sendable () -> Void) {
        invalidationAction.withLock { $0 = InvalidationAction(run: action) }
    }

    /// Withdraws everything that was concluded from the order of the store's listings: listings in memory and in the
    /// archive, and the kernel's negative entries.
    private func withdrawOrder(disprovedBy key: Key, in prefix: Key) {
        context.logDisorder(at: key, in: prefix)
        context.log?.log.setValue(of: .unorderedStore, words: [1])
        invalidate(cache.root, .tree)
        invalidationAction.withLock { $0 }?.run()
        invalidateKernelNames(cache.root, .tree) {}
    }

    /// Returns the listing of the directory of this prefix; `nil` if there is none.
    func knownListing(_ prefix: Key) -> DirectoryListing? {
        cache.known(prefix)
    }
}

extension InodeTable {
    /// Counts a lookup of an entry and returns its inode.
    fileprivate func recordLookup(_ entry: ListedEntry) -> Inode {
        Inode(id: recordLookup(entry.index, of: entry.block), key: entry.key, kind: entry.block.kind(entry.index))
    }
}
