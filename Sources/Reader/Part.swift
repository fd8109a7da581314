import BlockCache
import DequeModule
import ObjectStore

/// Bytes of an object that are on their way, from the store or from the disk: adjoining blocks, and how far they have come.
///
/// Part of `ObjectReads.State`, whose lock guards it.
struct Part {
    /// A read that is parked on this part.
    struct Waiting {
        /// Which read.
        let read: UInt64
        /// It needs the part's bytes up to here.
        let end: Int
        /// Whether only the disk waits for it.
        let isForDisk: Bool
    }

    /// Where the bytes come from.
    enum Source {
        /// One GET.
        case store
        /// The disk cache; what it turns out not to have is then asked of the store.
        case disk

        /// What is said of blocks that are filled from it.
        var origin: Block.Origin { self == .store ? .store : .disk }
    }

    /// Told apart from all other parts of the object by this.
    let number: UInt64
    /// The bytes that were asked for.
    let range: Range<Int>
    /// Where what has not come is to come from.
    var source: Source
    /// Whether it goes on though nobody waits for it and no window wants it.
    var isKept: Bool
    /// Whether who had it started has its blocks written to the disk.
    var isForDisk: Bool
    /// When it began.
    let startInstant = ContinuousClock.now
    /// The bytes before this offset have come.
    private(set) var received: Int
    /// The blocks that are not complete yet. The first one has the byte at `received`.
    private(set) var blocks: Deque<Block>
    /// The index in the object of the first of `blocks`.
    private(set) var firstBlockIndex: Int
    /// The reads that wait for bytes of this part.
    var waiting: [Waiting] = []
    /// What to cancel it with; `nil` until the store has returned it.
    var request: (any StoreRequest)?

    /// A part that is to fill `blocks`, the first of which is the object's block `firstBlockIndex`.
    init(
        number: UInt64, source: Source, blocks: Deque<Block>, firstBlockIndex: Int, objectByteCount: Int, isKept: Bool,
        isForDisk: Bool
    ) {
        self.number = number
        self.source = source
        self.isKept = isKept
        self.isForDisk = isForDisk
        self.blocks = blocks
        self.firstBlockIndex = firstBlockIndex
        let start = firstBlockIndex * Block.byteCount
        range = start..<min(start + blocks.count * Block.byteCount, objectByteCount)
        received = start
    }

    /// The bytes that have not come.
    var remaining: Range<Int> { received..<range.upperBound }

    /// Whether bytes of it have come.
    var hasBegun: Bool { received > range.lowerBound }

    /// The block `index` of the object, if this part has yet to complete it.
    func block(at index: Int) -> Block? {
        let position = index - firstBlockIndex
        return blocks.indices.contains(position) ? blocks[position] : nil
    }

    /// Notes that the bytes before `offset` have come.
    ///
    /// - Returns: The blocks that are complete now, by their index; the part lets go of them.
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

/// Gives what the store sends for a part to the object that the part is of.
final class PartReceiver: RangeReceiver {
    private let reads: ObjectReads
    private let number: UInt64

    /// Receives the part `number` of the object.
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
