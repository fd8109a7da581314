import BlockCache
import Synchronization

/// How reads were answered, since the start.
public struct ReadCounts: Sendable {
    /// How many reads there were: the kernel's, and those of small objects that are fetched whole when they are opened.
    public internal(set) var readCount = 0
    /// How many of them had to wait for the store or the disk, or for memory.
    public internal(set) var waitCount = 0
    /// How many of them ended with an error.
    public internal(set) var failureCount = 0
    /// The bytes that were read for the first time since they came from the store.
    public internal(set) var storeByteCount = 0
    /// The bytes that were read for the first time since they came from the disk cache.
    public internal(set) var diskByteCount = 0
    /// The bytes that were read again.
    public internal(set) var memoryByteCount = 0
}

/// Counts how reads are answered. A read costs two or three additions to atomics, however many blocks it has.
final class ReadMeter: Sendable {
    private let readCount = Atomic<Int>(0)
    private let waitCount = Atomic<Int>(0)
    private let failureCount = Atomic<Int>(0)
    private let storeByteCount = Atomic<Int>(0)
    private let diskByteCount = Atomic<Int>(0)
    private let memoryByteCount = Atomic<Int>(0)

    /// A read begins.
    func noteRead() { readCount.add(1, ordering: .relaxed) }
    /// A read can't be answered at once.
    func noteWait() { waitCount.add(1, ordering: .relaxed) }
    /// A read ends with an error.
    func noteFailure() { failureCount.add(1, ordering: .relaxed) }

    /// A read is answered from these blocks, which its range lies in.
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

    /// What was counted so far.
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
