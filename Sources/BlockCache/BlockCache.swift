import DequeModule
public import ObjectStore
import Synchronization

/// Blocks of objects in memory, and the budget for all memory that object bytes may take.
///
/// The budget is hard because it is all there is: one `BlockPool` of a fixed size. Each of its blocks is, at any time,
/// one of these: free; *cached* (complete, in `RecentBlocks`); or *out*, which is to say held by a part in flight that fills
/// it, or by a read or reply that is made of it. A cached block that a reply is made of is cached and out at once.
/// Only cached blocks that nobody else holds are evicted. First those that are *consumed*: read to their end, so that the
/// kernel has the bytes in its page cache and will hardly ask again. A few of them are kept, and then used again before
/// memory that was never touched, which the kernel would have to clear: a stream goes through as much memory as it has in
/// flight. Then the least recently used ones.
///
/// **Demand** (a read somebody waits for) may take any block that is free or can be evicted. If there are too few, the
/// read queues up here. **Read-ahead** gets what is left: nothing while a read waits for memory, and never so much that more
/// than half of the blocks are out.
///
/// Why waiting for memory always ends. A read asks for all the memory it might need at once, and holds no block while it
/// waits; so whoever holds blocks does not wait for memory. It waits for the network (a part, which ends at its deadline at
/// the latest, and the reads parked on it with it) or for the kernel to take a reply. Its blocks then become free or
/// evictable, and whoever let go of them calls `serveWaiting`. The queue is first in, first out, so the read at its head gets
/// the next blocks, and the pool is bigger than any one read may be. The queue is as long as there are reads under way,
/// which the kernel bounds.
///
/// Locks: `state`, then the pool's. Nothing is called out to under either. Readers call in under the lock of an object.
public final class BlockCache: Sendable {
    /// The least that works: eight reads of the biggest size that FUSE asks for (1 MiB) under way at once.
    public static let minimumByteLimit = 8 << 20

    /// How many consumed blocks are kept while there is memory that was never touched: 32 MiB, some parts' worth, since those
    /// that are still in replies or being written to the disk can't be used again yet.
    private static let consumedBlockCountMax = (32 << 20) / Block.byteCount

    private struct State {
        var objects = CachedObjects()
        var recent = RecentBlocks()
        var queue: Deque<MemoryWaiter> = []
        /// Somebody is handing out memory to the queue, and looks again before they stop.
        var isServing = false
        var nextTicket: UInt64 = 0
        /// How many blocks were handed out since the start.
        var takenBlockCount = 0
    }

    private let pool: BlockPool
    private let state = Mutex(State())

    /// An empty cache.
    ///
    /// - Parameter byteLimit: How much memory to use at the most, at least `minimumByteLimit`; rounded down to 2 MiB.
    public init(byteLimit: Int) throws(BlockCacheError) {
        guard byteLimit >= BlockCache.minimumByteLimit else { throw .limitTooSmall(byteLimit: byteLimit) }
        pool = try BlockPool(slabCount: byteLimit / BlockPool.slabByteCount)
    }

    /// How much memory the blocks take at the most.
    public var byteLimit: Int { pool.blockCount * Block.byteCount }

    /// How much memory the blocks take by now: it grows up to `byteLimit`, and never shrinks.
    public var residentByteCount: Int { pool.touchedBlockCount * Block.byteCount }

    /// How many blocks are neither free nor cached: parts in flight fill them.
    public var outBlockCount: Int {
        state.withLock { outBlockCount(&$0) }
    }

    /// How many reads wait for memory.
    public var waitingReadCount: Int {
        state.withLock { $0.queue.count }
    }

    // MARK: Objects and their blocks

    /// The number of `version`, by which its blocks are found. `close` is to be called once for each call.
    public func open(_ version: ObjectVersion) -> ObjectID {
        state.withLock { $0.objects.open(version) }
    }

    /// Nobody has the object open any more. Its blocks stay until their memory is needed.
    public func close(_ object: ObjectID) {
        state.withLock { $0.objects.close(object) }
    }

    /// The cached ones of the blocks `indices` of `object`; `nil` where a block isn't cached.
    public func blocks(of object: ObjectID, at indices: Range<Int>) -> [Block?] {
        state.withLock { state in
            indices.map { state.recent.use(BlockID(object, index: $0)) }
        }
    }

    /// Those of the blocks `indices` of `object` that are not cached. Those that are count as used.
    public func missing(of object: ObjectID, among indices: Range<Int>) -> [Int] {
        state.withLock { state in
            indices.filter { !state.recent.touch(BlockID(object, index: $0)) }
        }
    }

    /// Keeps a complete block, which must not be cached yet. `serveWaiting` is to be called when no lock is held.
    public func insert(_ block: Block, of object: ObjectID, at index: Int) {
        state.withLock { state in
            state.recent.insert(block, as: BlockID(object, index: index))
            state.objects.noteInserted(object)
        }
    }

    /// A reply is done with blocks of `object`, which it let go of before; those of `indices` have been read to their end.
    func finishReading(_ indices: Range<Int>, of object: ObjectID) {
        let isWaitedFor = state.withLock { state in
            for index in indices { state.recent.noteConsumed(BlockID(object, index: index)) }
            return !state.queue.isEmpty
        }
        if isWaitedFor { serveWaiting() }
    }

    // MARK: Memory

    /// Memory for a read that somebody waits for: all of it or `nil`, which it also is if others wait already.
    public func take(_ blockCount: Int) -> [Block]? {
        state.withLock { state in
            state.queue.isEmpty ? take(blockCount, &state) : nil
        }
    }

    /// Memory for reading ahead: as many blocks as can be spared, at the most `blockCount`.
    public func takeAhead(_ blockCount: Int) -> [Block] {
        state.withLock { state in
            guard state.queue.isEmpty else { return [] }
            let spare = pool.blockCount / 2 - outBlockCount(&state)
            var blocks: [Block] = []
            while blocks.count < min(blockCount, spare), let block = takeOne(&state) {
                blocks.append(block)
            }
            state.takenBlockCount += blocks.count
            return blocks
        }
    }

    /// How many bytes ahead of its readers `object` may be read, now that it is: its share of half of the memory.
    ///
    /// Half, because blocks are evicted by their last use: what was read ahead comes to the old end only after half of
    /// the memory has been handed out to others, and by then readers of about the same speed have read it. An object
    /// that isn't read on loses its share as soon as the memory has been handed out twice; nobody needs to close it.
    public func aheadShare(of object: ObjectID) -> Int {
        state.withLock { state in
            let turn = state.takenBlockCount / pool.blockCount
            return byteLimit / 2 / state.objects.noteStreaming(object, turn: turn)
        }
    }

    /// Queues up for memory. `serveWaiting` is to be called when no lock is held, also since memory may have come back
    /// after `take` was refused and before the read stood in the queue.
    ///
    /// - Parameters:
    ///   - blockCount: How many blocks, at once; no more than `minimumByteLimit` holds.
    ///   - resume: Gets them, on the thread that gives memory back, under no lock.
    /// - Returns: What to leave the queue with.
    public func wait(for blockCount: Int, resume: @escaping @Sendable ([Block]) -> Void) -> MemoryTicket {
        precondition(blockCount * Block.byteCount <= BlockCache.minimumByteLimit)
        return state.withLock { state in
            let ticket = MemoryTicket(rawValue: state.nextTicket)
            state.nextTicket += 1
            state.queue.append(MemoryWaiter(ticket: ticket, blockCount: blockCount, resume: resume))
            return ticket
        }
    }

    /// Leaves the queue, if it isn't one's turn already. `serveWaiting` is to be called when no lock is held: who is next may
    /// need less.
    public func stopWaiting(_ ticket: MemoryTicket) {
        state.withLock { state in
            state.queue.removeAll { $0.ticket == ticket }
        }
    }

    /// Hands out memory to the reads that wait for it, as far as there is any. Whoever lets go of a block calls this then,
    /// under no lock.
    ///
    /// One thread at a time does it, and the others leave it to that one. Otherwise a read that is resumed, answered and
    /// let go within this call would serve the next one, and so on, as deep as the queue is long. That no one is forgotten
    /// rests on the lock: who finds `isServing` set has let go of memory before the serving thread's next look.
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
            // What was taken goes back to the pool with `blocks`. It was evicted, and rightly so: a read waits for it.
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

    private func outBlockCount(_ state: inout State) -> Int {
        pool.blockCount - pool.freeBlockCount - state.recent.count
    }
}

/// A place in the queue for memory.
public struct MemoryTicket: Hashable, Sendable {
    let rawValue: UInt64
}

/// A read that waits for memory.
private struct MemoryWaiter {
    let ticket: MemoryTicket
    let blockCount: Int
    let resume: @Sendable ([Block]) -> Void
}
