import Glibc
import Synchronization

/// The memory of all blocks: one mapping, cut into blocks, used again and again.
///
/// Recycling is the point. Measured: fresh memory for every part doubles the CPU time of a read, because the kernel clears
/// each page first, and without huge pages it is a third more. So the mapping is aligned to huge pages (2 MiB, 16 blocks,
/// on x86-64 and on arm64 with 4 KiB pages) and asks for them, and blocks that were used can be told from those that were
/// never touched: what is resident is what was needed at once, never more than the limit.
///
/// Mapping it all at the start costs address space only, and tells at once if the limit is more than the machine allows.
final class BlockPool: Sendable {
    /// What the kernel backs with one huge page.
    static let slabByteCount = 2 << 20

    /// How many blocks there are, used and free.
    let blockCount: Int

    private struct Free {
        /// Blocks that were used before, the one that came back last at the end: its bytes may still be in the CPU's cache.
        var returned: [Int] = []
        /// Blocks from here on were never used.
        var firstUntouched = 0
    }

    private let free = Mutex(Free())
    // Raw pointers are not Sendable; these two never change, and the mapping lives as long as the pool.
    nonisolated(unsafe) private let mapping: UnsafeMutableRawBufferPointer
    nonisolated(unsafe) private let firstSlab: UnsafeMutableRawPointer

    /// Maps memory for `slabCount` slabs.
    init(slabCount: Int) throws(BlockCacheError) {
        // One slab more than needed, so that an aligned start can be found in it.
        let byteCount = (slabCount + 1) * BlockPool.slabByteCount
        let address = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address, address != MAP_FAILED else {
            throw .mappingFailed(byteCount: byteCount, errno: errno)
        }
        mapping = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
        firstSlab = address.alignedUp(toMultipleOf: BlockPool.slabByteCount)
        // A kernel without transparent huge pages refuses; small pages are slower and just as right.
        _ = madvise(firstSlab, slabCount * BlockPool.slabByteCount, MADV_HUGEPAGE)
        blockCount = slabCount * (BlockPool.slabByteCount / Block.byteCount)
    }

    deinit {
        munmap(mapping.baseAddress, mapping.count)
    }

    /// How many blocks nobody has.
    var freeBlockCount: Int {
        free.withLock { $0.returned.count + blockCount - $0.firstUntouched }
    }

    /// How many blocks were ever used: only these take memory.
    var touchedBlockCount: Int {
        free.withLock { $0.firstUntouched }
    }

    /// A block that was used before and that nobody has; `nil` if there is none. Its bytes are whatever was there before.
    func takeReturned() -> Block? {
        free.withLock { $0.returned.popLast() }.map(block)
    }

    /// A block that was never used: the kernel has yet to provide its memory, which costs more than filling it. `nil` if
    /// there is none.
    func takeUntouched() -> Block? {
        let number = free.withLock { free -> Int? in
            guard free.firstUntouched < blockCount else { return nil }
            free.firstUntouched += 1
            return free.firstUntouched - 1
        }
        return number.map(block)
    }

    private func block(_ number: Int) -> Block {
        Block(number: number, start: firstSlab + number * Block.byteCount, pool: self)
    }

    /// The block `number` is nobody's any more. Called from any thread, under any lock: this lock is the innermost.
    func giveBack(_ number: Int) {
        free.withLock { $0.returned.append(number) }
    }
}
