import BlockCache

/// Decides on the prefetches of one object from its recent reads. It works on offsets only: no bytes, requests or time.
///
/// Contiguous reads are merged into *cursors* (`ReadCursor`). There are several, since several processes or threads may
/// read one object, and one of them may alternate between its head and its tail. A cursor with a direction has a
/// window. A read that continues no cursor starts a new one, replacing the least recently used. Three cursors at a
/// constant distance become a *stride* (`ReadStride`), whose next elements are prefetched. All other reads cost only
/// their own blocks.
struct ReadWindows {
    /// The most cursors of one object.
    static let cursorCountMax = 8
    /// The most strides of one object.
    static let strideCountMax = 4
    /// The largest object that is fetched whole at its first read: the transfer takes no longer than a request's
    /// latency (S3: 20 ms, 90 MB/s).
    static let firstByteCount = ReadCursor.firstByteCount
    /// The biggest part of a read. Smaller parts belong to windows that grow (`WindowGrowth.partByteCount`) and to
    /// backward runs (`ReadCursor.backwardPartByteCount`); a fetch to the disk has bigger ones
    /// (`ObjectReads.State.diskPartByteCount`).
    ///
    /// At S3's latency (20 ms, 90 MB/s per connection) a part of 4 MiB takes 66 ms and one of 8 MiB 113 ms, so the same
    /// rate needs 0.6 times the bytes in flight, and windows, which grow with each round trip, open that much sooner:
    /// in a model, 1 GiB from its beginning takes a tenth less time. Even smaller parts gain less than their requests
    /// cost.
    static let partByteCount = 4 << 20
    /// The number of reads after which an idle cursor no longer counts as being prefetched.
    static let idleReadCountMax = 64

    /// The bytes to prefetch for a read.
    struct Advice: Equatable {
        /// The cursor or stride that they belong to.
        enum Source: Equatable {
            case cursor(Int)
            case stride(Int)
        }

        /// The cursor or stride that they belong to.
        let source: Source
        /// The ranges to prefetch, most urgent first. No two ranges share a block.
        let ranges: AheadRanges
        /// The size of the window after these prefetches.
        let windowByteCount: Int

        /// The most bytes of one request.
        var partByteCount: Int { WindowGrowth.partByteCount(ofWindow: windowByteCount) }
    }

    private let objectByteCount: Int
    private var cursors: [ReadCursor] = []
    private var strides: [ReadStride] = []
    private var readCount = 0

    /// Creates the state of an object of `objectByteCount` bytes that has not been read yet.
    init(objectByteCount: Int) {
        self.objectByteCount = objectByteCount
    }

    /// Records a read, and returns the ranges to prefetch, if any. They are returned again for the next read until
    /// `advance` records that they were requested.
    ///
    /// - Parameters:
    ///   - extent: The bytes that are read.
    ///   - firstMissing: The first byte of a block of `extent` that is neither cached nor in flight.
    ///   - isWaiting: `true` if bytes of `extent` have not arrived.
    ///   - share: The prefetch budget of the object; evaluated only when a window is to grow.
    /// - Returns: The advice, and `true` if a window was given up, so that parts in flight may have become useless.
    mutating func note(
        _ extent: Range<Int>, firstMissing: Int?, isWaiting: Bool, share: () -> Int
    ) -> (Advice?, gaveUpWindow: Bool) {
        readCount += 1
        let near = cursor(near: extent)
        if let near, cursors[near].windowByteCount > 0 {
            return (goOn(with: near, extent, firstMissing: firstMissing, isWaiting: isWaiting, share), false)
        }
        for index in strides.indices {
            guard let step = strides[index].step(of: extent) else { continue }
            strides[index].lastUse = readCount
            strides[index].advance(by: step, to: extent, isMissing: firstMissing != nil)
            return (advice(forStride: index, share), false)
        }
        if let near {
            return (goOn(with: near, extent, firstMissing: firstMissing, isWaiting: isWaiting, share), false)
        }
        return start(at: extent, share)
    }

    /// Records that the ranges of `advice` were requested in order, up to the block `firstRefused`, for which there was
    /// no memory; completely if that is `nil`.
    mutating func advance(_ advice: Advice, firstRefused: Int?) {
        let ranges = advice.ranges
        switch advice.source {
        case .stride(let index):
            let refused = firstRefused.flatMap { block in
                ranges.firstIndex { Block.indices(covering: $0).contains(block) }
            }
            strides[index].noteAsked(refused ?? ranges.count)
        case .cursor(let index):
            let range = ranges[0]
            if cursors[index].isBackward {
                // The next reads are at the end of the range, which was refused.
                guard firstRefused == nil else { return }
                cursors[index].advance(to: range.lowerBound, windowByteCount: advice.windowByteCount)
            } else {
                let end = firstRefused.map { $0 * Block.byteCount } ?? range.upperBound
                guard end > range.lowerBound else { return }
                cursors[index].advance(to: end, windowByteCount: advice.windowByteCount)
            }
        }
    }

    /// Returns the ranges to prefetch beyond a window after its part `range` has arrived early: while a read of the
    /// same stream waits for bytes far before it.
    ///
    /// A delayed part blocks the reader and with it the window, and the connections would become idle once everything
    /// behind the part has arrived. So each early part is replaced by one beyond the window, which stays that large:
    /// the next delayed part is to be expected, and until a larger window were read down to its usual size, nothing
    /// would be requested.
    ///
    /// - Parameters:
    ///   - awaited: The missing ranges that reads wait for.
    ///   - share: The prefetch budget of the object.
    mutating func extend(after range: Range<Int>, awaited: [Range<Int>], share: () -> Int) -> Advice? {
        // Smaller parts belong to a window that still grows.
        guard range.count == ReadWindows.partByteCount,
            let index = cursors.firstIndex(where: { cursor in
                isStreaming(cursor) && cursor.hasEarly(range, awaited: awaited)
            })
        else { return nil }
        cursors[index].hasDelayedParts = true
        let cursor = cursors[index]
        let limit = min(share() / streamCount, cursor.windowByteCountMax)
        let extended = min(cursor.ahead.count + range.count, limit)
        return cursor.missing(in: extended, objectByteCount: objectByteCount).map { range in
            Advice(
                source: .cursor(index), ranges: AheadRanges(range),
                windowByteCount: max(cursor.windowByteCount, extended))
        }
    }

    /// Returns `true` if a window includes bytes of `range`.
    func want(_ range: Range<Int>) -> Bool {
        cursors.contains { $0.ahead.overlaps(range) } || strides.contains { $0.wants(range) }
    }

    /// Forgets all reads after the object's last handle was closed.
    mutating func removeAll() {
        cursors = []
        strides = []
    }
}

// MARK: Cursors

extension ReadWindows {
    /// Returns the cursor nearest to `extent` among those that it may belong to.
    private func cursor(near extent: Range<Int>) -> Int? {
        var nearest: (index: Int, distance: Int)?
        for index in cursors.indices {
            guard let distance = cursors[index].distance(of: extent) else { continue }
            if let nearest, nearest.distance <= distance { continue }
            nearest = (index, distance)
        }
        return nearest?.index
    }

    private mutating func goOn(
        with index: Int, _ extent: Range<Int>, firstMissing: Int?, isWaiting: Bool, _ share: () -> Int
    ) -> Advice? {
        var index = index
        let ahead = cursors[index].ahead
        let start = cursors[index].run.lowerBound
        cursors[index].lastUse = readCount
        guard cursors[index].extend(by: extent, isWaiting: isWaiting) else { return nil }
        absorbNeighbors(of: &index)
        if cursors[index].windowByteCount == 0, cursors[index].run.lowerBound < start,
            let stride = startStride(at: index)
        {
            return advice(forStride: stride, share)
        }
        var wanted = WindowGrowth.window(of: cursors[index], isEager: isEager(cursors[index]))
        if let firstMissing, ahead.contains(firstMissing), cursors[index].windowByteCount > 0 {
            // The bytes were prefetched and evicted before they were read, or their request failed: memory is short.
            // Restart with a smaller window.
            cursors[index].shrink()
            wanted = cursors[index].windowByteCount
        }
        guard let wanted else { return nil }
        let streams = streamCount + (cursors[index].windowByteCount == 0 ? 1 : 0)
        let granted = min(wanted, share() / streams, cursors[index].windowByteCountMax)
        return cursors[index].missing(in: granted, objectByteCount: objectByteCount).map { range in
            Advice(source: .cursor(index), ranges: AheadRanges(range), windowByteCount: granted)
        }
    }

    /// Merges the cursor `index` with those that it has reached, or that have reached it.
    private mutating func absorbNeighbors(of index: inout Int) {
        var other = 0
        while other < cursors.count {
            if other != index, cursors[index].absorb(cursors[other]) {
                cursors.remove(at: other)
                index -= other < index ? 1 : 0
            } else if other != index, cursors[other].absorb(cursors[index]) {
                cursors.remove(at: index)
                index = other - (index < other ? 1 : 0)
                other = 0
            } else {
                other += 1
            }
        }
    }

    private mutating func start(at extent: Range<Int>, _ share: () -> Int) -> (Advice?, gaveUpWindow: Bool) {
        let cursor = ReadCursor(run: extent, lastUse: readCount)
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
        if isSmall || extent.lowerBound == 0 {
            let first = 0..<min(objectByteCount, ReadWindows.firstByteCount)
            let advice = Advice(
                source: .cursor(index), ranges: AheadRanges(first), windowByteCount: first.count)
            return (advice, gaveUpWindow)
        }
        let mayReplaceStride = strides.count == ReadWindows.strideCountMax
        guard let stride = startStride(at: index) else { return (nil, gaveUpWindow) }
        return (advice(forStride: stride, share), gaveUpWindow || mayReplaceStride)
    }

    /// Returns `true` if the run will probably be read to the object's end: it began at the object's beginning, no
    /// other reader is ahead of it, and no stride is active. A reader behind it doesn't count: it finds the bytes that
    /// this run has fetched.
    private func isEager(_ cursor: ReadCursor) -> Bool {
        cursor.run.lowerBound < ReadCursor.firstByteCount && !cursor.isBackward
            && !cursors.contains { isStreaming($0) && $0.run.upperBound > cursor.run.upperBound }
            && !strides.contains { isBeingRead($0.lastUse) }
    }

    private func isStreaming(_ cursor: ReadCursor) -> Bool {
        cursor.windowByteCount > 0 && isBeingRead(cursor.lastUse)
    }

    private func isBeingRead(_ lastUse: Int) -> Bool {
        lastUse > readCount - ReadWindows.idleReadCountMax
    }

    /// The number of cursors and strides that are being prefetched.
    private var streamCount: Int {
        cursors.count { isStreaming($0) } + strides.count { isBeingRead($0.lastUse) }
    }
}

// MARK: Strides

extension ReadWindows {
    /// Creates a stride from the run of the cursor `index` and two earlier runs, if they form one.
    private mutating func startStride(at index: Int) -> Int? {
        let last = cursors[index].run
        for middle in cursors.indices where cursors[middle].lastUse < readCount {
            for first in cursors.indices where cursors[first].lastUse < cursors[middle].lastUse {
                let stride = ReadStride(
                    cursors[first].run, cursors[middle].run, last, objectByteCount: objectByteCount,
                    lastUse: readCount)
                if let stride { return insert(stride) }
            }
        }
        return nil
    }

    private mutating func insert(_ stride: ReadStride) -> Int {
        if strides.count < ReadWindows.strideCountMax {
            strides.append(stride)
            return strides.count - 1
        }
        let oldest = strides.indices.min { strides[$0].lastUse < strides[$1].lastUse } ?? 0
        strides[oldest] = stride
        return oldest
    }

    private func advice(forStride index: Int, _ share: () -> Int) -> Advice? {
        let granted = min(share() / streamCount, WindowGrowth.windowByteCountMax)
        return strides[index].missing(in: granted).map { ranges in
            Advice(source: .stride(index), ranges: ranges, windowByteCount: granted)
        }
    }
}
