public import Logging
public import ObjectStore
public import StateLog
import Synchronization

/// The keys below a prefix of a bucket as a tree of directories and files.
///
/// Two kinds of state, deliberately apart. What is *known* of the bucket is a table of listings, one a directory, which are
/// shared by all who look, proven page by page, and each expire as a whole. What the *kernel knows* is a table of
/// inodes, each an unchanging version of an object, with the kernel's lookup count. Listings come and go under a bound and
/// a time to live; inodes go only when the kernel forgets them. Every question, be it a lookup, a negative one, attributes
/// or a directory's entries, is answered from the same listings through the same classification of keys.
///
/// Completions are called at once where the answer is known, and from a thread of the store's otherwise.
public final class Namespace: Sendable {
    let source: ListingSource
    let tree: KnownTree
    let inodes: InodeTable
    let budget: MetadataBudget
    let meter = LookupMeter()
    let metadataByteLimit: Int
    private let walkAhead: WalkAhead
    /// What directories have given that were open in the process before, by its names for their listings.
    private let restoredListings = Mutex<[UInt64: Listing]>([:])
    /// The actions that `onDistrust` has set.
    private let distrustAction = Mutex<DistrustAction?>(nil)

    private struct DistrustAction {
        let run: @Sendable () -> Void
    }

    /// A namespace of the keys that begin with `root`.
    ///
    /// - Parameters:
    ///   - store: Where listings come from.
    ///   - root: A key that ends in "/", or the empty one for the whole bucket.
    ///   - timeToLive: How long listings count as true.
    ///   - requestTimeout: How long one page may take, retries included.
    ///   - metadataByteLimit: How much memory listings and inodes may take, about.
    ///   - archive: Where complete listings outlive the process.
    ///   - log: Where that is written which the next process must know (`restore`).
    ///   - logger: Where hidden keys are told of.
    public init(
        store: any ObjectStore, root: Key, timeToLive: TimeToLive, requestTimeout: Duration,
        metadataByteLimit: Int, archive: (any ListingArchive)? = nil, log: StateLog? = nil, logger: Logger
    ) {
        source = ListingSource(
            store: store, timeToLive: timeToLive, requestTimeout: requestTimeout, metadataByteLimit: metadataByteLimit,
            archive: archive, log: log.map { EntryLog($0) }, logger: logger)
        inodes = InodeTable(rootKey: root, log: source.log)
        self.metadataByteLimit = metadataByteLimit
        budget = MetadataBudget(byteLimit: metadataByteLimit, account: source.account, inodes: inodes)
        tree = KnownTree(root: root, source: source, budget: budget)
        walkAhead = WalkAhead(tree: tree, source: source)
        source.order.onDisproof { [weak self] prefix, key in self?.withdrawOrder(disprovedBy: key, in: prefix) }
    }

    /// The inode that the kernel calls `id`; `nil` for one that it has forgotten.
    public func inode(_ id: InodeID) -> Inode? {
        inodes.inode(id)
    }

    /// How many inodes the kernel knows, the root included.
    public var inodeCount: Int {
        inodes.count
    }

    /// The inode numbers of all inodes that the kernel knows. Takes a while.
    public var inodeNumbers: [UInt64] {
        inodes.numbers
    }

    /// The kernel forgets `count` lookups of an inode.
    public func forget(_ id: InodeID, count: UInt64) {
        inodes.forget(id, count: count)
    }

    /// The answer to a lookup.
    public struct Lookup: Sendable {
        /// What the name is, counted as a lookup by the kernel; `nil` where there is nothing of that name.
        public let inode: Inode?
        /// Until when that holds.
        public let expiry: Expiry
    }

    /// Looks a name up in a directory.
    public func lookup(
        _ name: Name, in directory: Inode, completion: @escaping @Sendable (Result<Lookup, StoreError>) -> Void
    ) {
        let listing = tree.listing(directory.key)
        let isMiss = listing.lookup(name) { [inodes] result in
            completion(
                result.map { found in
                    Lookup(inode: found.map { inodes.remember($0) }, expiry: listing.expiry)
                })
        }
        meter.note(isMiss: isMiss)
        if isMiss { walkAhead.noteMiss(directory.key) }
    }

    /// From now on the kernel is told through `kernel` what to let go of.
    public func attach(_ kernel: any KernelCache) {
        budget.attach(kernel)
    }

    /// Who tells the kernel things; `nil` before there is a mount.
    var kernelCache: (any KernelCache)? {
        budget.kernelCache
    }

    /// Forgets what was listed of a directory, in memory and in the archive.
    public func forget(_ prefix: Key, _ extent: Extent) {
        tree.forget(prefix, extent)
    }

    /// Lists everything below a directory, as much of it at once as makes sense, except what is known already. Returns at
    /// once; the answer tells how far it has come.
    public func warm(below prefix: Key) -> WarmProgress {
        let warming = Warming(below: prefix, tree: tree, source: source)
        warming.start()
        return warming.progress
    }

    /// Takes in what a process that is gone has left in the log: the inodes that the kernel knows. To be called before all
    /// else, once; fails where not all of it is there.
    public func restore() throws(StateLogError) {
        guard let log = source.log else { return }
        let blocks = try log.blocks(account: source.account)
        try inodes.restore(from: blocks)
        let listings = try ListedRuns(log.log).listings(of: blocks, source: source)
        restoredListings.withLock { $0 = listings }
        // Nobody but inodes and open directories holds them.
        budget.noteGone(Array(blocks.values))
        log.log.own([.entryBlock, .inodeRow], by: inodes)
    }

    /// The directory that a process before has opened, with what it has given of its entries, at the same indices.
    ///
    /// - Parameter listingID: What the process told of (`OpenDirectory.listingID`).
    public func openDirectory(_ directory: Inode, restoring listingID: UInt64) -> OpenDirectory {
        let listing = restoredListings.withLock { listings in
            if let listing = listings[listingID], listing.prefix == directory.key { return listing }
            // It has given nothing so far; but who shares it goes on sharing it.
            let listing = Listing(prefix: directory.key, source: source, knownSince: .now, restoredID: listingID)
            listings[listingID] = listing
            return listing
        }
        return OpenDirectory(
            inode: directory, listing: listing, tree: tree, walkAhead: walkAhead, inodes: inodes)
    }

    /// All directories that were open are open again.
    public func endRestoring() {
        restoredListings.withLock { $0 = [:] }
    }

    /// Opens a directory for reading its entries.
    public func openDirectory(_ directory: Inode) -> OpenDirectory {
        OpenDirectory(
            inode: directory, listing: tree.listing(directory.key), tree: tree, walkAhead: walkAhead, inodes: inodes)
    }

    /// Whether all entries of the mount's root are known, and there are some: an earlier mount has left them in the archive.
    /// Nothing is asked of the store.
    public var isRootKnown: Bool {
        let listing = tree.listing(tree.root)
        return listing.isComplete && listing.entryCount > 0
    }

    /// Takes a page that somebody has listed for a reason of their own, so that it needn't be asked for again. One that
    /// proves nothing is left alone. One that disproves the store's order has the same effect as any other.
    ///
    /// - Parameters:
    ///   - request: What was asked for, without a continuation token: from the beginning.
    ///   - askedAt: When.
    public func absorb(_ page: ListPage, of request: ListRequest, askedAt: ContinuousClock.Instant) {
        guard let proven = try? source.prove(page, of: request) else {
            if !source.order.isTrusted, request.prefix == tree.root, request.isDelimited {
                tree.listing(tree.root).collectWhole(page, askedAt: askedAt)
            }
            return
        }
        tree.absorb(proven, askedAt: askedAt)
    }

    /// Sets an action to be run when all that was told of names is withdrawn, because the store turns out to list in no order:
    /// before the kernel is asked to distrust them.
    public func onDistrust(_ action: @escaping @Sendable () -> Void) {
        distrustAction.withLock { $0 = DistrustAction(run: action) }
    }

    /// Withdraws all that was derived from the order of the store's listings: kept listings here and in the archive, and the
    /// absences that the kernel keeps.
    private func withdrawOrder(disprovedBy key: Key, in prefix: Key) {
        source.tellOfDisorder(at: key, in: prefix)
        source.log?.log.setValue(of: .unorderedStore, words: [1])
        forget(tree.root, .tree)
        distrustAction.withLock { $0 }?.run()
        distrust(tree.root, .tree) {}
    }

    /// What is known of the directory of this prefix; `nil` where that is nothing.
    func knownListing(_ prefix: Key) -> Listing? {
        tree.known(prefix)
    }
}

extension InodeTable {
    /// The inode of an entry, counted as one more lookup.
    fileprivate func remember(_ entry: ListedEntry) -> Inode {
        Inode(id: remember(entry.index, of: entry.block), key: entry.key, kind: entry.block.kind(entry.index))
    }
}
