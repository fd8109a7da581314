import BlockCache
import DequeModule
import ObjectStore
import SystemSupport

/// Contiguous blocks in flight, from the store or from the disk, and the progress of their transfer.
///
/// It belongs to `ObjectReads.State`, whose lock guards it.
struct Part {
    /// A read that is parked on this part.
    struct Waiting {
        /// The number of the read.
        let read: UInt64
        /// The end of the bytes that the read needs from this part.
        let end: Int
        /// `true` for a fetch to the disk.
        let isForDisk: Bool
    }

    /// The source of the bytes.
    enum Source {
        /// One GET.
        case store
        /// The disk cache. Bytes that it turns out to lack are then requested from the store.
        case disk

        /// The origin to record for blocks filled from this source.
        var origin: Block.Origin { self == .store ? .store : .disk }
    }

    /// The number that identifies the part within the object.
    let number: UInt64
    /// The requested bytes.
    let range: Range<Int>
    /// The source of the remaining bytes.
    var source: Source
    /// `true` if the part continues even if no read waits for it and no window includes it.
    var isDetached: Bool
    /// `true` if the code that started the part has its blocks written to the disk.
    var isForDisk: Bool
    /// The time at which the part was requested.
    let startInstant = RunningClock.now
    /// The end of the received bytes.
    private(set) var received: Int
    /// The incomplete blocks. The first one contains the byte at `received`.
    private(set) var blocks: Deque<Block>
    /// The index in the object of the first of `blocks`.
    private(set) var firstBlockIndex: Int
    /// The reads that wait for bytes of this part.
    var waiting: [Waiting] = []
    /// The request, for canceling it; `nil` until the store has returned it.
    var request: (any StoreRequest)?

    /// Creates a part that fills `blocks`, the first of which is the object's block `firstBlockIndex`.
    init(
        number: UInt64, source: Source, blocks: Deque<Block>, firstBlockIndex: Int, objectByteCount: Int,
        isDetached: Bool,
        isForDisk: Bool
    ) {
        self.number = number
        self.source = source
        self.isDetached = isDetached
        self.isForDisk = isForDisk
        self.blocks = blocks
        self.firstBlockIndex = firstBlockIndex
        let start = firstBlockIndex * Block.byteCount
        range = start..<min(start + blocks.count * Block.byteCount, objectByteCount)
        received = start
    }

    /// The bytes that have not arrived.
    var remaining: Range<Int> { received..<range.upperBound }

    /// `true` if a read, not only a fetch to the disk, waits for bytes of the part.
    var isAwaited: Bool { waiting.contains { !$0.isForDisk } }

    /// `true` if bytes of the part have arrived.
    var hasBegun: Bool { received > range.lowerBound }

    /// Returns the block `index` of the object, if this part has yet to complete it.
    func block(at index: Int) -> Block? {
        let position = index - firstBlockIndex
        return blocks.indices.contains(position) ? blocks[position] : nil
    }

    /// Records that the bytes before `offset` have arrived.
    ///
    /// - Returns: The blocks that are now complete, by index; the part releases them.
    mutating func receive(upTo offset: Int) -> [(index: Int, block: Block)] {
        received = offset
        var complete: [(index: Int, block: Block)] = []
        while !blocks.isEmpty, received >= min((firstBlockIndex + 1) * Block.byteCount, range.upperBound) {
            complete.append((firstBlockIndex, blocks.removeFirst()))
            firstBlockIndex += 1
        }
        return complete
    }
}

/// Passes the store's bytes for a part to the part's object.
final class PartReceiver: RangeReceiver {
    private let reads: ObjectReads
    private let number: UInt64

    /// Creates the receiver of the part `number` of the object.
    init(_ reads: ObjectReads, part number: UInt64) {
        self.reads = reads
        self.number = number
    }

    func receive(_ bytes: RawSpan, at offset: Int) {
        bytes.withUnsafeBytes { reads.receive($0, at: offset, part: number) }
    }

    func finish(_ result: Result<Void, StoreError>) {
        reads.finish(part: number, result)
    }
}
