import BlockCache
import Synchronization

/// The counts of reads since the start, and the sources of their bytes.
public struct ReadCounts: Sendable {
    /// The number of reads: those of the kernel, and those of small objects that are fetched whole when they are
    /// opened.
    public internal(set) var readCount = 0
    /// The number of reads that had to wait for the store, the disk or memory.
    public internal(set) var waitCount = 0
    /// The number of reads that failed.
    public internal(set) var failureCount = 0
    /// The bytes that were read for the first time after they came from the store.
    public internal(set) var storeByteCount = 0
    /// The bytes that were read for the first time after they came from the disk cache.
    public internal(set) var diskByteCount = 0
    /// The bytes that were read again.
    public internal(set) var memoryByteCount = 0
}

/// Counts reads and the sources of their bytes. A read costs two or three atomic additions, however many blocks it has.
final class ReadMeter: Sendable {
    private let readCount = Atomic<Int>(0)
    private let waitCount = Atomic<Int>(0)
    private let failureCount = Atomic<Int>(0)
    private let storeByteCount = Atomic<Int>(0)
    private let diskByteCount = Atomic<Int>(0)
    private let memoryByteCount = Atomic<Int>(0)

    /// Records the beginning of a read.
    func noteRead() { readCount.add(1, ordering: .relaxed) }
    /// Records that a read has to wait.
    func noteWait() { waitCount.add(1, ordering: .relaxed) }
    /// Records that a read failed.
    func noteFailure() { failureCount.add(1, ordering: .relaxed) }

    /// Records a read answered from these blocks, which contain its range.
    func noteBytes(_ range: Range<Int>, in blocks: [Block]) {
        var (store, disk, memory) = (0, 0, 0)
        var start = range.lowerBound
        for block in blocks {
            let end = min(range.upperBound, (start / Block.byteCount + 1) * Block.byteCount)
            switch block.takeOrigin() {
            case .store: store += end - start
            case .disk: disk += end - start
            case .memory: memory += end - start
            }
            start = end
        }
        if store > 0 { storeByteCount.add(store, ordering: .relaxed) }
        if disk > 0 { diskByteCount.add(disk, ordering: .relaxed) }
        if memory > 0 { memoryByteCount.add(memory, ordering: .relaxed) }
    }

    /// The counts so far.
    var counts: ReadCounts {
        var counts = ReadCounts()
        counts.readCount = readCount.load(ordering: .relaxed)
        counts.waitCount = waitCount.load(ordering: .relaxed)
        counts.failureCount = failureCount.load(ordering: .relaxed)
        counts.storeByteCount = storeByteCount.load(ordering: .relaxed)
        counts.diskByteCount = diskByteCount.load(ordering: .relaxed)
        counts.memoryByteCount = memoryByteCount.load(ordering: .relaxed)
        return counts
    }
}
