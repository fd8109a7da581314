import BlockCache

/// One sequence of reads of an object, forward or backward, and the window before it that is prefetched.
///
/// A cursor is a *run*: contiguous reads, merged. Membership in a run is wide on purpose: the kernel splits reads of an
/// application into requests that arrive in any order, and tools skip bytes (nibabel reads 4.8 kB of every 9.6 kB of a
/// CIFTI file). The conditions that open a window are strict: a read at the object's beginning, a second read that
/// continues at the end of the first one, or a third read that ends at the start of the second one.
struct ReadCursor {
    /// The largest distance between a run and a read that belongs to it: a block, since nearer bytes are fetched
    /// anyway, plus the small margin that keeps the blocks of a stride's elements apart (`ReadStride.slackByteCount`).
    static let skipByteCountMax = Block.byteCount + 4 * ReadStride.slackByteCount
    /// The largest distance by which a read within a run may be late: the kernel has at most two read-ahead windows of
    /// 1 MiB in flight, in any order.
    static let lateByteCountMax = 2 << 20
    /// The first window of a run that began at the object's beginning; most headers fit in it.
    static let firstByteCount = 1 << 20
    /// The first window of any other run: two blocks, so that a wrong guess is cheap.
    static let cautiousByteCount = 2 * Block.byteCount
    /// The part size of a backward run: the last byte of a part arrives last, but here it is read first. Twice the
    /// kernel's request size, so that a window can grow.
    static let backwardPartByteCount = 2 << 20
    /// The number of consecutive backward reads that make a direction, negative. One is not enough: two requests of a
    /// forward stream may have been reordered.
    static let backwardTrend = -2

    /// The bytes from the first to the last byte read; includes gaps of up to `skipByteCountMax`.
    private(set) var run: Range<Int>
    /// The number of consecutive forward reads at the end of the run; negative for backward reads.
    private(set) var trend = 0
    /// The prefetched end, or start if the run goes backward; `nil` before any prefetch.
    private(set) var frontier: Int?
    /// The size of the window; 0 before the run has proved to be a sequence.
    private(set) var windowByteCount = 0
    /// `true` if a read had to wait for bytes that were requested at the present window size.
    private(set) var hasWaited = false
    /// The offset up to which bytes were requested with a smaller window.
    private var smallerFrontier = 0
    /// `true` once a read has waited for a part while many parts behind it arrived.
    var hasDelayedParts = false
    /// The time of the last read, as a number of reads.
    var lastUse: Int

    /// Creates a run of one read.
    init(run: Range<Int>, lastUse: Int) {
        self.run = run
        self.lastUse = lastUse
    }

    /// `true` if the run goes towards the object's beginning.
    var isBackward: Bool { trend <= ReadCursor.backwardTrend }

    /// The prefetched bytes that have not been read.
    var ahead: Range<Int> {
        guard let frontier else { return run.upperBound..<run.upperBound }
        return isBackward
            ? min(frontier, run.lowerBound)..<run.lowerBound : run.upperBound..<max(frontier, run.upperBound)
    }

    /// The largest window of the run.
    var windowByteCountMax: Int {
        WindowGrowth.windowByteCountMax * (hasDelayedParts ? WindowGrowth.extensionMultiple : 1)
    }

    /// Returns `true` if the run goes forward, `range` lies in its window, and a read of the run waits for bytes that
    /// are at least `WindowGrowth.earlyByteCountMin` before it.
    func hasEarly(_ range: Range<Int>, awaited: [Range<Int>]) -> Bool {
        guard !isBackward, ahead.contains(range.lowerBound) else { return false }
        let start = run.upperBound - ReadCursor.lateByteCountMax
        let end = range.lowerBound - WindowGrowth.earlyByteCountMin
        return start < end && awaited.contains { $0.overlaps(start..<end) }
    }

    // MARK: Reads

    /// Returns the distance of a read of `extent` from the end of this run; `nil` if it doesn't belong to it.
    func distance(of extent: Range<Int>) -> Int? {
        guard extent.upperBound >= run.lowerBound - ReadCursor.skipByteCountMax,
            extent.lowerBound <= run.upperBound + ReadCursor.skipByteCountMax
        else { return nil }
        let late = max(ReadCursor.lateByteCountMax, extent.count)
        let isShort = run.count <= ReadCursor.lateByteCountMax
        // A run continues at one end, so a second reader in the middle of a long run is a separate one.
        let isAtEnd = extent.lowerBound >= run.upperBound - late && (isShort || !isBackward)
        let isAtStart = extent.upperBound <= run.lowerBound + late && (isShort || isBackward)
        guard isAtEnd || isAtStart else { return nil }
        return min(abs(extent.lowerBound - run.upperBound), abs(run.lowerBound - extent.upperBound))
    }

    /// Adds a read that belongs to the run.
    ///
    /// - Parameter isWaiting: `true` if bytes of it had not arrived when it was made.
    /// - Returns: `true` if the read continued the run. A late or repeated read says nothing about the next one.
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

    /// Merges a run that begins where this one has arrived, as reordered reads leave it.
    ///
    /// - Returns: `true` if it was such a run.
    mutating func absorb(_ other: ReadCursor) -> Bool {
        let end = run.upperBound
        // A backward run that reaches a position read only once goes on past it, so the two aren't merged.
        guard !isBackward, trend > 0 || !other.isBackward,
            other.run.lowerBound >= end - ReadCursor.lateByteCountMax,
            other.run.lowerBound <= end + ReadCursor.skipByteCountMax
        else { return false }
        run = run.lowerBound..<max(end, other.run.upperBound)
        trend = max(trend, other.trend, 1)
        frontier = [frontier, other.frontier].compactMap(\.self).max()
        windowByteCount = max(windowByteCount, other.windowByteCount)
        hasDelayedParts = hasDelayedParts || other.hasDelayedParts
        lastUse = max(lastUse, other.lastUse)
        return true
    }

    // MARK: Windows

    /// Returns the missing part of a window of `byteCount`, in whole blocks or up to the object's end; `nil` if it is
    /// empty.
    ///
    /// The rounding makes a window of less than a block empty.
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

    /// Records that the window now has `byteCount` bytes and was requested up to `newFrontier`.
    mutating func advance(to newFrontier: Int, windowByteCount byteCount: Int) {
        if byteCount > windowByteCount {
            hasWaited = false
            smallerFrontier = frontier ?? newFrontier
        }
        frontier = newFrontier
        windowByteCount = byteCount
    }

    /// Restarts with a smaller window, because prefetched bytes were evicted before they were read.
    mutating func shrink() {
        frontier = nil
        windowByteCount = max(windowByteCount / 2, ReadCursor.cautiousByteCount)
    }
}

extension Int {
    /// The first block boundary at or after this offset.
    var roundedUpToBlock: Int {
        (self + Block.byteCount - 1).roundedDownToBlock
    }

    /// The start of the block that contains this offset.
    var roundedDownToBlock: Int {
        self / Block.byteCount * Block.byteCount
    }
}
