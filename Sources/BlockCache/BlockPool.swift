import Glibc
import Synchronization

/// The memory of all blocks: one mapping, divided into blocks that are reused.
///
/// Reuse matters. Measured: fresh memory for every part doubles the CPU time of a read, because the kernel clears each
/// page first; without huge pages it costs another third. So the mapping is aligned to huge pages (2 MiB, 16 blocks, on
/// x86-64 and on arm64 with 4 KiB pages) and requests them. The pool also tells used blocks from untouched ones, so
/// resident memory equals the peak demand and never exceeds the limit.
///
/// Mapping everything at the start costs only address space, and reports at once a limit that the machine can't
/// provide.
final class BlockPool: Sendable {
    /// The size of a huge page.
    static let slabByteCount = 2 << 20

    /// The number of blocks, used and free.
    let blockCount: Int

    private struct Free {
        /// Blocks that were used before, most recently returned last: its bytes may still be in the CPU's cache.
        var returned: [Int] = []
        /// Blocks from this index on were never used.
        var firstUntouched = 0
    }

    private let free = Mutex(Free())
    // Raw pointers are not Sendable. These two never change, and the mapping lives as long as the pool.
    nonisolated(unsafe) private let mapping: UnsafeMutableRawBufferPointer
    nonisolated(unsafe) private let firstSlab: UnsafeMutableRawPointer

    /// Maps memory for `slabCount` slabs.
    init(slabCount: Int) throws(BlockCacheError) {
        // One extra slab, so that the range contains an aligned start.
        let byteCount = (slabCount + 1) * BlockPool.slabByteCount
        let address = mmap(
            nil, byteCount, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)
        guard let address, address != MAP_FAILED else {
            throw .mappingFailed(byteCount: byteCount, errno: errno)
        }
        mapping = UnsafeMutableRawBufferPointer(start: address, count: byteCount)
        firstSlab = address.alignedUp(toMultipleOf: BlockPool.slabByteCount)
        // A kernel without transparent huge pages refuses this; small pages are slower but also correct.
        _ = madvise(firstSlab, slabCount * BlockPool.slabByteCount, MADV_HUGEPAGE)
        blockCount = slabCount * (BlockPool.slabByteCount / Block.byteCount)
    }

    deinit {
        munmap(mapping.baseAddress, mapping.count)
    }

    /// The number of free blocks.
    var freeBlockCount: Int {
        free.withLock { $0.returned.count + blockCount - $0.firstUntouched }
    }

    /// The number of blocks that were ever used: only these occupy memory.
    var touchedBlockCount: Int {
        free.withLock { $0.firstUntouched }
    }

    /// Returns a free block that was used before, or `nil`. It contains arbitrary old bytes.
    func takeReturned() -> Block? {
        free.withLock { $0.returned.popLast() }.map(block)
    }

    /// Returns a block that was never used, or `nil`. The kernel has yet to provide its memory, which costs more than
    /// filling it.
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

    /// Returns the block `number` to the pool. May be called on any thread and under any lock: this lock is the
    /// innermost.
    func giveBack(_ number: Int) {
        free.withLock { $0.returned.append(number) }
    }
}
