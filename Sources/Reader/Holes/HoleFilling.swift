import BlockCache
import ObjectStore

/// The refetch of the holes of one object: the pieces still to be requested, and those in flight.
struct HoleFilling {
    /// The most pieces in flight. Each is one GET of up to 8 MiB: together they receive some 300 MB/s at S3's latency,
    /// and a read that comes meanwhile finds most connections free.
    static let inFlightCountMax = 4

    /// The object. The open handle keeps its files from eviction.
    let object: ObjectReader
    /// `true` until the mount is idle again.
    var isPaused = false
    /// `true` until a piece has ended, or until the next check: the memory or the disk is busy.
    var isBlocked = false
    private var missing: RangeSet<Int>
    private var inFlightCount = 0

    /// Creates the filling of the missing blocks of an object.
    ///
    /// - Parameter missing: The indices of these blocks.
    init(_ object: ObjectReader, missing: RangeSet<Int>) {
        self.object = object
        self.missing = missing
    }

    /// `true` if nothing is left to do.
    var hasEnded: Bool { missing.isEmpty && inFlightCount == 0 }

    /// Returns the bytes of the next piece, which counts as in flight; `nil` if none may be requested now.
    mutating func nextPiece() -> Range<Int>? {
        guard !isPaused, !isBlocked, inFlightCount < HoleFilling.inFlightCountMax, let first = missing.ranges.first
        else {
            return nil
        }
        let blockCountMax = ObjectReads.State.diskPartByteCount / Block.byteCount
        let blocks = first.lowerBound..<min(first.upperBound, first.lowerBound + blockCountMax)
        missing.remove(contentsOf: blocks)
        inFlightCount += 1
        let end = min(blocks.upperBound * Block.byteCount, object.reads.object.byteCount)
        return blocks.lowerBound * Block.byteCount..<end
    }

    /// Records the outcome of the piece `range`.
    ///
    /// - Parameter outcome: `nil` if its request failed. Then nothing more is requested, as with a full disk.
    mutating func noteEnd(of range: Range<Int>, _ outcome: FetchOutcome?) {
        inFlightCount -= 1
        switch outcome {
        case .present(let end, _):
            isBlocked = false
            if end < range.upperBound { missing.insert(contentsOf: Block.indices(covering: end..<range.upperBound)) }
        case .notNow:
            missing.insert(contentsOf: Block.indices(covering: range))
            isBlocked = true
        case .noRoom, .failing, nil:
            missing = RangeSet()
        }
    }
}
