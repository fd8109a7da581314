public import Synchronization

/// The memory that one block of an object lies in, kept as long as somebody holds this instance: the cache, the part that
/// is filling it, or a reply made of it. The last one to let go gives the memory back to the pool.
///
/// Nothing here guards the bytes. A part fills a block front to back from one thread, and says under its object's lock how
/// far it has come; everybody else looks at bytes before that point only, which never change again.
public final class Block: Sendable {
    /// How many bytes of an object a block holds; the last block of an object may hold fewer.
    ///
    /// 128 KiB is what the kernel reads ahead by default and what `st_blksize` says, so that most reads are one or two
    /// blocks; smaller ones would make bookkeeping visible, bigger ones would make random reads fetch what nobody wants.
    public static let byteCount = 128 << 10

    /// Which of the pool's blocks this is.
    let number: Int
    private let pool: BlockPool
    // Raw pointers are not Sendable. This one never changes and is valid until `deinit`; who may touch which of the bytes
    // behind it is said above.
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

    /// Where bytes that are read come from.
    public enum Origin: UInt8, AtomicRepresentable, Sendable {
        /// They have been read before, and stayed.
        case memory
        /// The disk cache, for this read or ahead of it.
        case disk
        /// The store, for this read or ahead of it.
        case store
    }

    /// The block is about to be filled from there.
    public func begin(from origin: Origin) {
        self.origin.store(origin, ordering: .relaxed)
    }

    /// Where the bytes of a read come from: for the first one of the block from where it was filled, for all others from memory.
    public func takeOrigin() -> Origin {
        let origin = origin.load(ordering: .relaxed)
        if origin != .memory { self.origin.store(.memory, ordering: .relaxed) }
        return origin
    }

    /// Copies `source` into the block, from the byte `offset` of the block on. Only the part that fills the block may.
    public func fill(at offset: Int, from source: UnsafeRawBufferPointer) {
        precondition(offset >= 0 && offset + source.count <= Block.byteCount)
        UnsafeMutableRawBufferPointer(start: start + offset, count: source.count).copyMemory(from: source)
    }

    /// All of the block's memory, for reads from the disk to land in; as with `fill`, only for who fills the block.
    var memory: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: start, count: Block.byteCount)
    }

    /// The bytes at `range` of the block; valid as long as somebody holds the block.
    public func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        precondition(range.lowerBound >= 0 && range.upperBound <= Block.byteCount)
        return UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    /// The indices of the blocks of an object that the bytes of `range` lie in.
    public static func indices(covering range: Range<Int>) -> Range<Int> {
        range.lowerBound / byteCount..<(range.upperBound + byteCount - 1) / byteCount
    }
}

/// Blocks that somebody uses, above all a reply that is made of them: they are not evicted while this instance lives.
///
/// When it goes, reads that wait for memory may get going on the thread that let go of it. So nobody lets go of the last
/// reference under a lock that a reader takes.
public final class BlockLease: Sendable {
    /// The blocks, in the order of the object's bytes.
    public var blocks: [Block] { held.withLock { $0 } }

    private let held: Mutex<[Block]>
    private let cache: BlockCache
    private let object: ObjectID
    private let consumed: Range<Int>

    /// Holds `blocks` of `object`, which came from `cache`.
    ///
    /// - Parameter consumed: The indices of those blocks that have been read to their end when this instance goes.
    public init(_ blocks: [Block], of object: ObjectID, consumed: Range<Int>, from cache: BlockCache) {
        self.held = Mutex(blocks)
        self.object = object
        self.consumed = consumed
        self.cache = cache
    }

    deinit {
        // The blocks first: only what nobody holds any more can be evicted.
        held.withLock { $0 = [] }
        cache.finishReading(consumed, of: object)
    }
}
