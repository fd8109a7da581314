public import Synchronization

/// The memory that holds one block of an object. It is retained by the cache, by the part that fills it, and by replies
/// made of it. Releasing the last reference returns the memory to the pool.
///
/// No lock guards the bytes. One part fills a block from front to back on one thread, and publishes its progress under
/// its object's lock. All other users read only bytes before that point, which never change again.
public final class Block: Sendable {
    /// The number of bytes of an object that a block holds. The last block of an object may hold fewer.
    ///
    /// 128 KiB is the kernel's default read-ahead and the `st_blksize` of our files, so most reads cover one or two
    /// blocks. With smaller blocks the bookkeeping becomes measurable; with bigger ones random reads fetch bytes that
    /// are never used.
    public static let byteCount = 128 << 10

    /// The index of this block in the pool.
    let number: Int
    private let pool: BlockPool
    // Raw pointers are not Sendable. This one never changes and is valid until `deinit`; the type's comment says which
    // thread may access the bytes behind it.
    nonisolated(unsafe) private let start: UnsafeMutableRawPointer
    private let origin = Atomic(Origin.memory)

    init(number: Int, start: UnsafeMutableRawPointer, pool: BlockPool) {
        self.number = number
        self.start = start
        self.pool = pool
    }

    deinit {
        pool.giveBack(number)
    }

    /// The source of the bytes of a read.
    public enum Origin: UInt8, AtomicRepresentable, Sendable {
        /// Memory: the bytes were read before and stayed cached.
        case memory
        /// The disk cache, for this read or prefetched.
        case disk
        /// The store, for this read or prefetched.
        case store
    }

    /// Records the source that the block is about to be filled from.
    public func begin(from origin: Origin) {
        self.origin.store(origin, ordering: .relaxed)
    }

    /// Returns the source of the bytes of a read: for the first read of the block its fill source, for later reads
    /// `memory`.
    public func takeOrigin() -> Origin {
        let origin = origin.load(ordering: .relaxed)
        if origin != .memory { self.origin.store(.memory, ordering: .relaxed) }
        return origin
    }

    /// Copies `source` into the block, starting at byte `offset` of the block. Only the part that fills the block may
    /// call this.
    public func fill(at offset: Int, from source: UnsafeRawBufferPointer) {
        precondition(offset >= 0 && offset + source.count <= Block.byteCount)
        UnsafeMutableRawBufferPointer(start: start + offset, count: source.count).copyMemory(from: source)
    }

    /// All of the block's memory, as the target of disk reads. Like `fill`, only for the owner that fills the block.
    var memory: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: start, count: Block.byteCount)
    }

    /// Returns the bytes at `range` of the block. They are valid while a reference to the block is held.
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= Block.byteCount)
        return UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    /// Returns the indices of the blocks that contain the bytes `range` of an object.
    public static func indices(covering range: Range<Int>) -> Range<Int> {
        range.lowerBound / byteCount..<(range.upperBound + byteCount - 1) / byteCount
    }
}

/// Blocks in use, usually by a reply made of them. They are not evicted while this instance lives.
///
/// Releasing it may resume reads that wait for memory, on the releasing thread. So never release the last reference
/// while holding a lock that a reader takes.
public final class BlockLease: Sendable {
    /// The blocks, in the order of the object's bytes.
    public var blocks: [Block] { held.withLock { $0 } }

    private let held: Mutex<[Block]>
    private let cache: BlockCache
    private let object: ObjectID
    private let consumed: Range<Int>

    /// Holds `blocks` of `object`, which came from `cache`.
    ///
    /// - Parameter consumed: The indices of the blocks that have been read to their end when this instance is released.
    public init(_ blocks: [Block], of object: ObjectID, consumed: Range<Int>, from cache: BlockCache) {
        self.held = Mutex(blocks)
        self.object = object
        self.consumed = consumed
        self.cache = cache
    }

    deinit {
        // The blocks first: a block can be evicted only after its last other reference is gone.
        held.withLock { $0 = [] }
        cache.finishReading(consumed, of: object)
    }
}
