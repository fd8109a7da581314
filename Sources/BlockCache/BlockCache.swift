import DequeModule
public import ObjectStore
import Synchronization

/// The blocks of objects in memory, and the budget for all memory that object bytes may use.
///
/// The budget is a hard limit because all memory comes from one `BlockPool` of a fixed size. At any time a block is
/// free, *cached* (complete, in `BlockLRU`), or *in use*: held by a part in flight that fills it, or by a read or
/// reply made of it. A cached block that a reply is made of is both cached and in use. Only cached blocks without
/// another holder are evicted. *Consumed* blocks go first: they were read to their end, so the kernel has the bytes in
/// its page cache and will hardly request them again. A few consumed blocks stay, and are reused before untouched
/// memory, which the kernel would have to clear: a stream then cycles through only as much memory as it has in flight.
/// The least recently used blocks follow.
///
/// **Demand** (a read that an application waits for) may take any block that is free or can be evicted. If there are
/// too few, the read queues here. **Prefetch** gets the rest: nothing while a read waits for memory, and never so much
/// that more than half of the blocks are in use.
///
/// Why waiting for memory always ends: a read requests all the memory it might need at once and holds no block while it
/// waits. So a holder of blocks never waits for memory. It waits for the network (a part, which ends at its deadline at
/// the latest, together with the reads parked on it) or for the kernel to accept a reply. Its blocks then become free
/// or evictable, and the releasing code calls `serveWaiting`. The queue is first in, first out, so the read at its head
/// gets the next blocks, and the pool is bigger than any single read. The queue holds at most the reads in progress,
/// and the kernel bounds those.
///
/// Lock order: `state`, then the pool's lock. No callback runs under either. Readers call in while they hold an
/// object's lock.
public final class BlockCache: Sendable {
    /// The smallest limit that works: eight concurrent reads of the biggest size that FUSE requests (1 MiB).
    public static let minimumByteLimit = 8 << 20

    /// The number of consumed blocks that stay while untouched memory is left: 8 MiB, which is several replies. Blocks
    /// that are still in replies or being written to the disk can't be reused yet.
    private static let consumedBlockCountMax = (8 << 20) / Block.byteCount

    private struct State {
        var objects = CachedObjects()
        var recent = BlockLRU()
        var queue: Deque<MemoryWaiter> = []
        /// A thread is handing out memory to the queue, and checks it again before it stops.
        var isServing = false
        var nextTicket: UInt64 = 0
        /// The number of blocks handed out since the start.
        var takenBlockCount = 0
    }

    private let pool: BlockPool
    private let state = Mutex(State())

    /// Creates an empty cache.
    ///
    /// - Parameter byteLimit: The memory limit, at least `minimumByteLimit`; rounded down to 2 MiB.
    public init(byteLimit: Int) throws(BlockCacheError) {
        guard byteLimit >= BlockCache.minimumByteLimit else { throw .limitTooSmall(byteLimit: byteLimit) }
        pool = try BlockPool(slabCount: byteLimit / BlockPool.slabByteCount)
    }

    /// The most memory that the blocks may use.
    public var byteLimit: Int { pool.blockCount * Block.byteCount }

    /// The memory that the blocks use so far. It grows up to `byteLimit` and never shrinks.
    public var residentByteCount: Int { pool.touchedBlockCount * Block.byteCount }

    /// The number of blocks that are neither free nor cached: parts in flight fill them.
    public var inFlightBlockCount: Int {
        state.withLock { inFlightBlockCount(&$0) }
    }

    /// The number of reads that wait for memory.
    public var waitingReadCount: Int {
        state.withLock { $0.queue.count }
    }

    // MARK: Objects and their blocks

    /// Returns the number that identifies the blocks of `version`. Call `close` once for each call.
    public func open(_ version: ObjectVersion) -> ObjectID {
        state.withLock { $0.objects.open(version) }
    }

    /// Ends what `open` began. The object's blocks stay cached until their memory is needed.
    public func close(_ object: ObjectID) {
        state.withLock { $0.objects.close(object) }
    }

    /// Returns the blocks `indices` of `object`; `nil` for each block that isn't cached.
    public func blocks(of object: ObjectID, at indices: Range<Int>) -> [Block?] {
        state.withLock { state in
            indices.map { state.recent.use(BlockID(object, index: $0)) }
        }
    }

    /// Returns the indices of the blocks that are not cached. The cached ones count as used.
    public func missing(of object: ObjectID, among indices: Range<Int>) -> [Int] {
        state.withLock { state in
            indices.filter { !state.recent.touch(BlockID(object, index: $0)) }
        }
    }

    /// Adds a complete block, which must not be cached yet. Call `serveWaiting` afterwards, without holding a lock.
    public func insert(_ block: Block, of object: ObjectID, at index: Int) {
        state.withLock { state in
            state.recent.insert(block, as: BlockID(object, index: index))
            state.objects.noteInserted(object)
        }
    }

    /// Records that a reply has released its blocks of `object`, and that those at `indices` have been read to their
    /// end.
    func finishReading(_ indices: Range<Int>, of object: ObjectID) {
        let isWaitedFor = state.withLock { state in
            for index in indices { state.recent.noteConsumed(BlockID(object, index: index)) }
            return !state.queue.isEmpty
        }
        if isWaitedFor { serveWaiting() }
    }

    // MARK: Memory

    /// Takes memory for a read that is waited for. Returns `nil` unless all blocks are available and no read is queued.
    public func take(_ blockCount: Int) -> [Block]? {
        state.withLock { state in
            state.queue.isEmpty ? take(blockCount, &state) : nil
        }
    }

    /// Takes memory for a prefetch: as many blocks as can be spared, at most `blockCount`.
    public func takeForPrefetch(_ blockCount: Int) -> [Block] {
        state.withLock { state in
            guard state.queue.isEmpty else { return [] }
            let spare = pool.blockCount / 2 - inFlightBlockCount(&state)
            var blocks: [Block] = []
            while blocks.count < min(blockCount, spare), let block = takeOne(&state) {
                blocks.append(block)
            }
            state.takenBlockCount += blocks.count
            return blocks
        }
    }

    /// Returns the number of bytes that `object` may be prefetched ahead of its readers: its share of half of the
    /// memory.
    ///
    /// Half, because blocks are evicted by last use: a prefetched block becomes the oldest only after half of the
    /// memory has been handed out to others, and by then readers of similar speed have read it. An object that is no
    /// longer read loses its share once the memory has been handed out twice; no close is needed.
    public func prefetchBudget(of object: ObjectID) -> Int {
        state.withLock { state in
            let turn = state.takenBlockCount / pool.blockCount
            return byteLimit / 2 / state.objects.noteStreaming(object, turn: turn)
        }
    }

    /// Queues for memory. Call `serveWaiting` afterwards, without holding a lock, because memory may also have been
    /// released between the failed `take` and this call.
    ///
    /// - Parameters:
    ///   - blockCount: The number of blocks, all at once; no more than `minimumByteLimit` holds.
    ///   - resume: Receives the blocks, on the thread that releases memory, under no lock.
    /// - Returns: The ticket for `stopWaiting`.
    public func wait(for blockCount: Int, resume: @escaping @Sendable ([Block]) -> Void) -> MemoryTicket {
        precondition(blockCount * Block.byteCount <= BlockCache.minimumByteLimit)
        return state.withLock { state in
            let ticket = MemoryTicket(rawValue: state.nextTicket)
            state.nextTicket += 1
            state.queue.append(MemoryWaiter(ticket: ticket, blockCount: blockCount, resume: resume))
            return ticket
        }
    }

    /// Leaves the queue, unless the read has been served already. Call `serveWaiting` afterwards, without holding a
    /// lock: the next read may need less.
    public func stopWaiting(_ ticket: MemoryTicket) {
        state.withLock { state in
            state.queue.removeAll { $0.ticket == ticket }
        }
    }

    /// Hands out available memory to the reads that wait for it. Call this after each release of a block, without
    /// holding a lock.
    ///
    /// One thread at a time does this; the others leave the work to it. Otherwise a read that is resumed, answered and
    /// released within this call would serve the next one, recursing as deep as the queue is long. The lock ensures
    /// that no read is forgotten: a thread that finds `isServing` set has released its memory before the serving thread
    /// checks again.
    public func serveWaiting() {
        var isServing = false
        while let (waiter, blocks) = state.withLock({ nextServed(&$0, isServing: isServing) }) {
            isServing = true
            waiter.resume(blocks)
        }
    }

    private func nextServed(_ state: inout State, isServing: Bool) -> (MemoryWaiter, [Block])? {
        guard isServing || !state.isServing else { return nil }
        if let waiter = state.queue.first, let blocks = take(waiter.blockCount, &state) {
            state.queue.removeFirst()
            state.isServing = true
            return (waiter, blocks)
        }
        state.isServing = false
        return nil
    }

    private func take(_ blockCount: Int, _ state: inout State) -> [Block]? {
        var blocks: [Block] = []
        blocks.reserveCapacity(blockCount)
        while blocks.count < blockCount {
            // The taken blocks return to the pool with `blocks`. Their eviction stands: a read waits for that memory.
            guard let block = takeOne(&state) else { return nil }
            blocks.append(block)
        }
        state.takenBlockCount += blockCount
        return blocks
    }

    private func takeOne(_ state: inout State) -> Block? {
        if let block = pool.takeReturned() { return block }
        let hasConsumedToSpare = state.recent.consumedCount > BlockCache.consumedBlockCountMax
        var evicted = hasConsumedToSpare ? state.recent.evictConsumed() : nil
        if evicted == nil {
            if let block = pool.takeUntouched() { return block }
            evicted = state.recent.evictOldest()
        }
        guard let (id, block) = evicted else { return nil }
        state.objects.noteEvicted(id.object)
        return block
    }

    private func inFlightBlockCount(_ state: inout State) -> Int {
        pool.blockCount - pool.freeBlockCount - state.recent.count
    }
}

/// A ticket for a position in the queue for memory.
public struct MemoryTicket: Hashable, Sendable {
    let rawValue: UInt64
}

/// A read that waits for memory.
private struct MemoryWaiter {
    let ticket: MemoryTicket
    let blockCount: Int
    let resume: @Sendable ([Block]) -> Void
}
