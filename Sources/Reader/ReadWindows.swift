import BlockCache

/// What to read ahead in one object, judged by what was read of it lately. Knows offsets only: no bytes, no requests.
///
/// A *cursor* is one sequence of reads that goes forward: the reads so far (`run`), and the *window* ahead of their
/// furthest byte that is fetched before anybody asks for it. Several cursors are kept, since several processes or threads
/// read one object, and one of them may read its head and its tail in turn. A read that continues no cursor starts a new
/// one, in the place of the least recently used one.
///
/// What counts as going forward is wide on purpose: the kernel's read-ahead requests arrive in any order, and tools skip
/// (nibabel reads 4.8 kB of every 9.6 kB of a CIFTI file). What opens a window is strict: a read at offset 0, or a second
/// read that goes on where a first one was. So a random read costs its own blocks and no more.
struct ReadWindows {
    /// How many sequences one object is watched for.
    static let cursorCountMax = 8
    /// The first window at offset 0, and up to which size a file is fetched whole at its first read: most headers and
    /// sidecar files end before it, and it takes no longer than a request's latency (S3: 20 ms, 90 MB/s).
    static let firstByteCount = 1 << 20
    /// The first window anywhere else: two blocks, so that a wrong guess is cheap.
    static let cautiousByteCount = 2 * Block.byteCount
    /// A window is refilled as soon as it has room for a whole part, even when more than half of it is left.
    static let partByteCount = 8 << 20
    /// The biggest window: eight parts in flight are what one stream needs at S3's latency on a 10 Gbit/s network.
    static let windowByteCountMax = 64 << 20
    /// How far ahead of a sequence a read may skip and still belong to it.
    static let skipByteCountMax = Block.byteCount
    /// How far behind the furthest byte of a sequence a read may come late: the kernel has two read-ahead windows of
    /// 1 MiB under way at most, in any order.
    static let lateByteCountMax = 2 << 20

    private struct Cursor {
        /// From the first to the furthest byte that was read, gaps included.
        var run: Range<Int>
        /// The end of what was asked for ahead.
        var frontier: Int
        /// How far to read ahead; 0 before the sequence has shown that it is one.
        var windowByteCount = 0
        /// When it was last read, in reads.
        var lastUse: Int

        /// What was asked for ahead and not yet read.
        var ahead: Range<Int> { run.upperBound..<max(frontier, run.upperBound) }

        /// Whether a read of `extent` may be the sequence's next one.
        func isContinued(by extent: Range<Int>) -> Bool {
            extent.upperBound >= run.lowerBound - ReadWindows.skipByteCountMax
                && extent.lowerBound >= run.upperBound - max(ReadWindows.lateByteCountMax, extent.count)
                && extent.lowerBound <= max(run.upperBound + ReadWindows.skipByteCountMax, frontier)
        }
    }

    /// What a read asks for beyond its own bytes.
    struct Advice: Equatable {
        /// Which cursor wants it.
        let cursor: Int
        /// Bytes to read ahead, in whole blocks or up to the object's end.
        let ahead: Range<Int>
        /// How big the window is when that has been asked for.
        let windowByteCount: Int
    }

    private let objectByteCount: Int
    private var cursors: [Cursor] = []
    private var readCount = 0

    /// Nothing was read yet of an object of `objectByteCount` bytes.
    init(objectByteCount: Int) {
        self.objectByteCount = objectByteCount
    }

    /// Takes note of a read, and says what to read ahead, if anything. Until `advance` says that it was asked for, the
    /// next read is told to ask for it again.
    ///
    /// - Parameters:
    ///   - extent: Which bytes are read.
    ///   - firstMissing: The first byte of a block of `extent` that is neither cached nor in flight.
    ///   - share: How far the object may be read ahead in all; only asked when a window is to grow.
    /// - Returns: The advice, and whether a window was given up, so that parts in flight may have become useless.
    mutating func note(_ extent: Range<Int>, firstMissing: Int?, share: () -> Int) -> (Advice?, gaveUpWindow: Bool) {
        readCount += 1
        guard let index = cursor(continuedBy: extent) else { return start(at: extent) }
        let previousEnd = cursors[index].run.upperBound
        cursors[index].lastUse = readCount
        cursors[index].run =
            min(cursors[index].run.lowerBound, extent.lowerBound)..<max(previousEnd, extent.upperBound)
        // A read that came late, or backward, tells nothing about what comes next.
        guard extent.upperBound > previousEnd else { return (nil, false) }

        var wanted = grownWindow(of: cursors[index])
        if let firstMissing, firstMissing < cursors[index].frontier {
            // It was read ahead, and was gone before it was read: memory is short, or the request failed. Begin again,
            // more modestly.
            cursors[index].frontier = 0
            cursors[index].windowByteCount /= 2
            wanted = max(cursors[index].windowByteCount, ReadWindows.cautiousByteCount)
        }
        guard let wanted else { return (nil, false) }
        let streams = cursors.count { $0.windowByteCount > 0 || $0.lastUse == readCount }
        let granted = min(wanted, share() / streams, ReadWindows.windowByteCountMax)
        return (advice(for: index, windowByteCount: granted), false)
    }

    /// What `advice` says was asked for, up to `end`.
    mutating func advance(_ advice: Advice, to end: Int) {
        guard end > advice.ahead.lowerBound else { return }
        cursors[advice.cursor].frontier = end
        cursors[advice.cursor].windowByteCount = advice.windowByteCount
    }

    /// Whether a window includes bytes of `range`.
    func want(_ range: Range<Int>) -> Bool {
        cursors.contains { $0.ahead.overlaps(range) }
    }

    /// Forgets what was read: nobody has the object open any more.
    mutating func removeAll() {
        cursors = []
    }

    /// The cursor nearest to `extent` of those that it may belong to.
    private func cursor(continuedBy extent: Range<Int>) -> Int? {
        cursors.indices
            .filter { cursors[$0].isContinued(by: extent) }
            .min { distance(of: extent, from: $0) < distance(of: extent, from: $1) }
    }

    private func distance(of extent: Range<Int>, from index: Int) -> Int {
        abs(extent.lowerBound - cursors[index].run.upperBound)
    }

    private mutating func start(at extent: Range<Int>) -> (Advice?, gaveUpWindow: Bool) {
        let cursor = Cursor(run: extent, frontier: 0, lastUse: readCount)
        var index = cursors.count
        var gaveUpWindow = false
        if cursors.count < ReadWindows.cursorCountMax {
            cursors.append(cursor)
        } else if let oldest = cursors.indices.min(by: { cursors[$0].lastUse < cursors[$1].lastUse }) {
            index = oldest
            gaveUpWindow = !cursors[oldest].ahead.isEmpty
            cursors[oldest] = cursor
        }
        let isSmall = objectByteCount <= ReadWindows.firstByteCount
        guard isSmall || extent.lowerBound == 0 else { return (nil, gaveUpWindow) }
        let first = 0..<min(objectByteCount, ReadWindows.firstByteCount)
        return (Advice(cursor: index, ahead: first, windowByteCount: first.count), gaveUpWindow)
    }

    /// How big the window should be now; `nil` while enough of it is left.
    ///
    /// It opens at what was read so far, and doubles each time it is refilled: what is fetched in vain when a reader stops
    /// is never much more than what it has read.
    private func grownWindow(of cursor: Cursor) -> Int? {
        guard cursor.windowByteCount > 0 else {
            return max(cursor.run.count, ReadWindows.cautiousByteCount)
        }
        let left = cursor.ahead.count
        let isHalfEmpty = left < cursor.windowByteCount / 2
        let hasRoomForPart = cursor.windowByteCount - left >= ReadWindows.partByteCount
        return isHalfEmpty || hasRoomForPart ? cursor.windowByteCount * 2 : nil
    }

    private func advice(for index: Int, windowByteCount: Int) -> Advice? {
        let end = cursors[index].run.upperBound
        let from = max(cursors[index].frontier, end.roundedUpToBlock)
        // Whole blocks, rounded down, so that a share of less than a block is none.
        let to = min((end + windowByteCount).roundedDownToBlock, objectByteCount)
        let isToEnd = end + windowByteCount >= objectByteCount
        let target = isToEnd ? objectByteCount : to
        guard target > from else { return nil }
        return Advice(cursor: index, ahead: from..<target, windowByteCount: windowByteCount)
    }
}

extension Int {
    /// The first offset of a block that isn't before this one.
    fileprivate var roundedUpToBlock: Int {
        (self + Block.byteCount - 1).roundedDownToBlock
    }

    /// The first offset of the block that this one is in.
    fileprivate var roundedDownToBlock: Int {
        self / Block.byteCount * Block.byteCount
    }
}
