public import ObjectStore
public import SystemSupport

/// Where complete listings of one bucket's directories outlive the process.
///
/// It is a cache: it may lack anything, and has no errors to tell. What it does hand out is just what was kept under that
/// prefix, of that time. Whether that is fresh enough is for the caller to judge.
public protocol ListingArchive: Sendable {
    /// The newest listing of the directory `prefix` that is kept; `nil` where there is none. Called where somebody waits:
    /// never slower than some reads of a local disk.
    func listing(_ prefix: Key) -> ArchivedListing?

    /// Keeps a complete listing of a directory, in place of older ones. Returns at once, and keeps it a little later, or
    /// not at all.
    func keep(_ listing: ArchivedListing)

    /// Forgets the listings of all directories whose prefix is in `prefixes`: none that was kept before comes back.
    func forget(_ prefixes: KeyInterval)

    /// Writes what is still to be kept, as far as that is quick. Nothing is kept or found from then on.
    func shutdown()
}

/// A complete listing of one directory, in a form that outlives the process.
public struct ArchivedListing: Sendable {
    /// The directory's prefix: a key that ends in "/", or nothing for a whole bucket.
    public let prefix: Key
    /// When the first of it was asked of the store, by the clock on the wall.
    public let listedAt: Timestamp
    /// How many blocks it has; none where the directory is empty.
    public let blockCount: Int
    /// What the blocks take in memory, about.
    public let byteCount: Int
    private let block: @Sendable (Int) -> [UInt8]

    /// A listing of blocks that are made when they are needed, one at a time, so that a big one needn't be in memory twice.
    ///
    /// - Parameters:
    ///   - byteCount: What is kept in memory by `block` until then, about.
    ///   - block: The block of an index below `blockCount`, in bytes that only the caller understands. Called on a thread of
    ///     the archive's.
    public init(
        prefix: Key, listedAt: Timestamp, blockCount: Int, byteCount: Int, block: @escaping @Sendable (Int) -> [UInt8]
    ) {
        self.prefix = prefix
        self.listedAt = listedAt
        self.blockCount = blockCount
        self.byteCount = byteCount
        self.block = block
    }

    /// A listing of these blocks.
    public init(prefix: Key, listedAt: Timestamp, blocks: [[UInt8]]) {
        self.init(
            prefix: prefix, listedAt: listedAt, blockCount: blocks.count,
            byteCount: blocks.reduce(0) { $0 + $1.count }, block: { blocks[$0] })
    }

    /// The block of this index.
    public func block(at index: Int) -> [UInt8] { block(index) }

    /// All blocks, in order.
    public var blocks: [[UInt8]] { (0..<blockCount).map(block) }
}
