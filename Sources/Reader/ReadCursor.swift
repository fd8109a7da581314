import BlockCache

/// One sequence of reads of an object that goes forward or backward, and the window before it that is fetched before
/// anybody asks for it.
///
/// A cursor is a *run*: reads that adjoin each other, merged. What belongs to a run is wide on purpose: the kernel splits
/// what an application reads into requests that arrive in any order, and tools skip (nibabel reads 4.8 kB of every 9.6 kB
/// of a CIFTI file). What opens its window is strict: a read at the object's beginning, a second read that goes on where a
/// first one ended, or a third one that ends where a second one began.
struct ReadCursor {
    /// How far from a run a read may be and still belong to it: a block, since what is nearer is fetched along with it
    /// anyway, and the little more that keeps the blocks of a stride's elements apart (`ReadStride.slackByteCount`).
    static let skipByteCountMax = Block.byteCount + 4 * ReadStride.slackByteCount
    /// How far within a run a read may come late: the kernel has two read-ahead windows of 1 MiB under way at most, in
    /// any order.
    static let lateByteCountMax = 2 << 20
    /// The first window of a run that began at the object's beginning, where most headers end.
    static let firstByteCount = 1 << 20
    /// The first window anywhere else: two blocks, so that a wrong guess is cheap.
    static let cautiousByteCount = 2 * Block.byteCount
    /// How much is asked for at once by a run that goes backward: the last byte of a part comes last, and here it is read
    /// first. Twice what the kernel asks for at once, so that a window can grow.
    static let backwardPartByteCount = 2 << 20
    /// How many reads must have gone backward, one after the other, before that counts as a direction. One is not enough:
    /// two requests of a stream that goes forward may have changed places.
    static let backwardTrend = -2

    /// From the first to the last byte that was read; gaps of up to `skipByteCountMax` included.
    private(set) var run: Range<Int>
    /// How many of the last reads went on forward, one after the other; negative if they went backward.
    private(set) var trend = 0
    /// How far was asked for ahead: an end, or a start where the run goes backward. `nil` before anything was.
    private(set) var frontier: Int?
    /// How far to read ahead; 0 before the run has shown that it is a sequence.
    private(set) var windowByteCount = 0
    /// Whether a read had to wait for bytes that were asked for with the window as big as it is now.
    private(set) var hasWaited = false
    /// What lies before this frontier was asked for with a smaller window.
    private var smallerFrontier = 0
    /// When it was last read, in reads.
    var lastUse: Int

    /// A run of one read.
    init(run: Range<Int>, lastUse: Int) {
        self.run = run
        self.lastUse = lastUse
    }

    /// Whether the run goes towards the object's beginning.
    var isBackward: Bool { trend <= ReadCursor.backwardTrend }

    /// What was asked for ahead and not yet read.
    var ahead: Range<Int> {
        guard let frontier else { return run.upperBound..<run.upperBound }
        return isBackward
            ? min(frontier, run.lowerBound)..<run.lowerBound : run.upperBound..<max(frontier, run.upperBound)
    }

    // MARK: Reads

    /// How far a read of `extent` is from going on with this run; `nil` if it doesn't belong to it.
    func distance(of extent: Range<Int>) -> Int? {
        guard extent.upperBound >= run.lowerBound - ReadCursor.skipByteCountMax,
            extent.lowerBound <= run.upperBound + ReadCursor.skipByteCountMax
        else { return nil }
        let late = max(ReadCursor.lateByteCountMax, extent.count)
        let isShort = run.count <= ReadCursor.lateByteCountMax
        // A run goes on at one end, so that a second reader in the middle of a long run is another one.
        let isAtEnd = extent.lowerBound >= run.upperBound - late && (isShort || !isBackward)
        let isAtStart = extent.upperBound <= run.lowerBound + late && (isShort || isBackward)
        guard isAtEnd || isAtStart else { return nil }
        return min(abs(extent.lowerBound - run.upperBound), abs(run.lowerBound - extent.upperBound))
    }

    /// A read that belongs to the run.
    ///
    /// - Parameter isWaiting: Whether bytes of it had not come when it was made.
    /// - Returns: Whether it went on. One that came late, or in vain, tells nothing about what comes next.
    mutating func extend(by extent: Range<Int>, isWaiting: Bool) -> Bool {
        let wasBackward = isBackward
        if extent.upperBound > run.upperBound {
            trend = max(trend, 0) + 1
        } else if extent.lowerBound < run.lowerBound {
            trend = min(trend, 0) - 1
        } else {
            return false
        }
        run = min(run.lowerBound, extent.lowerBound)..<max(run.upperBound, extent.upperBound)
        if wasBackward != isBackward {
            frontier = nil
            windowByteCount = 0
        }
        let isNew = isBackward ? extent.lowerBound < smallerFrontier : extent.upperBound > smallerFrontier
        hasWaited = hasWaited || isWaiting && isNew
        return true
    }

    /// Takes in a run that begins where this one has come to, as reads that changed places leave it.
    ///
    /// - Returns: Whether it was one.
    mutating func absorb(_ other: ReadCursor) -> Bool {
        let end = run.upperBound
        // A run that goes backward to a place where somebody has been once goes on behind it.
        guard !isBackward, trend > 0 || !other.isBackward,
            other.run.lowerBound >= end - ReadCursor.lateByteCountMax,
            other.run.lowerBound <= end + ReadCursor.skipByteCountMax
        else { return false }
        run = run.lowerBound..<max(end, other.run.upperBound)
        trend = max(trend, other.trend, 1)
        frontier = [frontier, other.frontier].compactMap(\.self).max()
        windowByteCount = max(windowByteCount, other.windowByteCount)
        lastUse = max(lastUse, other.lastUse)
        return true
    }

    // MARK: Windows

    /// What is missing in a window of `byteCount`, in whole blocks or up to the object's end; `nil` if that is nothing.
    ///
    /// Rounded so that a window of less than a block is none.
    func missing(in byteCount: Int, objectByteCount: Int) -> Range<Int>? {
        if isBackward {
            let end = min(frontier ?? .max, run.lowerBound.roundedDownToBlock)
            let start = max(run.lowerBound - byteCount, end - ReadCursor.backwardPartByteCount, 0).roundedUpToBlock
            return start < end ? start..<end : nil
        }
        let start = max(frontier ?? 0, run.upperBound.roundedUpToBlock)
        let isToEnd = run.upperBound + byteCount >= objectByteCount
        let end = isToEnd ? objectByteCount : (run.upperBound + byteCount).roundedDownToBlock
        return start < end ? start..<end : nil
    }

    /// The window is `byteCount` big now, and was asked for up to `newFrontier`.
    mutating func advance(to newFrontier: Int, windowByteCount byteCount: Int) {
        if byteCount > windowByteCount {
            hasWaited = false
            smallerFrontier = frontier ?? newFrontier
        }
        frontier = newFrontier
        windowByteCount = byteCount
    }

    /// What was read ahead was gone before it was read: begin again, more modestly.
    mutating func shrink() {
        frontier = nil
        windowByteCount = max(windowByteCount / 2, ReadCursor.cautiousByteCount)
    }
}

extension Int {
    /// The first offset of a block that isn't before this one.
    var roundedUpToBlock: Int {
        (self + Block.byteCount - 1).roundedDownToBlock
    }

    /// The first offset of the block that this one is in.
    var roundedDownToBlock: Int {
        self / Block.byteCount * Block.byteCount
    }
}
