public import ObjectStore
public import SystemSupport

/// A store of complete listings of one bucket's directories that outlives the process.
///
/// It is a cache: it may lack anything, and reports no errors. A listing that it returns is exactly one that was kept
/// under that prefix with that time. The caller decides if it is fresh enough.
public protocol ListingArchive: Sendable {
    /// Returns the newest listing of the directory of `prefix`; `nil` if there is none. Called while an application
    /// waits: takes no longer than some reads of a local disk.
    func listing(_ prefix: Key) -> ArchivedListing?

    /// Keeps a complete listing in place of older ones of its directory. Returns at once; the listing is written later,
    /// or dropped.
    func keep(_ listing: ArchivedListing)

    /// Removes the listings of all directories with a prefix in `prefixes`. None that was kept before comes back.
    func forget(_ prefixes: KeyInterval)

    /// Writes what is queued, as far as that is quick. Keeps and returns nothing from then on.
    func shutdown()
}

/// A complete listing of one directory, in a form that outlives the process.
public struct ArchivedListing: Sendable {
    /// The directory's prefix: a key that ends in "/", or the empty one for a whole bucket.
    public let prefix: Key
    /// The time of its first request.
    public let listedAt: Timestamp
    /// The number of blocks; 0 if the directory is empty.
    public let blockCount: Int
    /// The approximate memory of the blocks.
    public let byteCount: Int
    private let block: @Sendable (Int) -> [UInt8]

    /// A listing with blocks that are created one at a time when they are needed, so that a big one isn't in memory
    /// twice.
    ///
    /// - Parameters:
    ///   - byteCount: The approximate memory that `block` holds until then.
    ///   - block: Returns the block with an index below `blockCount`, in bytes that only the caller interprets. Called
    ///     on a thread of the archive.
    public init(
        prefix: Key, listedAt: Timestamp, blockCount: Int, byteCount: Int, block: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.prefix = prefix
        self.listedAt = listedAt
        self.blockCount = blockCount
        self.byteCount = byteCount
        self.block = block
    }

    /// A listing with these blocks.
    public init(prefix: Key, listedAt: Timestamp, blocks: [[UInt8]]) {
        self.init(
            prefix: prefix, listedAt: listedAt, blockCount: blocks.count,
            byteCount: blocks.reduce(0) { $0 + $1.count }, block: { blocks[$0] })
    }

    /// Returns the block at this index.
    public func block(at index: Int) -> [UInt8] { block(index) }

    /// All blocks, in order.
    public var blocks: [[UInt8]] { (0..<blockCount).map(block) }
}
