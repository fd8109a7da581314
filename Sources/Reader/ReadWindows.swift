import BlockCache

/// What to read ahead in one object, judged by what was read of it lately. Knows offsets only: no bytes, no requests, no
/// time.
///
/// Reads that adjoin each other are merged into *cursors* (`ReadCursor`), of which several are kept, since several
/// processes or threads read one object, and one of them may read its head and its tail in turn. A cursor that goes
/// forward or backward has a window. A read that continues no cursor starts a new one, in the place of the least recently
/// used one; where three of them lie at a constant distance, they are a *stride* (`ReadStride`), and what comes next in it
/// is read ahead. All other reads cost their own blocks and no more.
struct ReadWindows {
    /// How many sequences one object is watched for.
    static let cursorCountMax = 8
    /// How many strides one object is watched for.
    static let strideCountMax = 4
    /// Up to which size an object is fetched whole at its first read: it takes no longer than a request's latency (S3:
    /// 20 ms, 90 MB/s).
    static let firstByteCount = ReadCursor.firstByteCount
    /// The biggest part. At S3's latency (20 ms, 90 MB/s a connection) one of 4 MiB takes 66 ms and one of 8 MiB 113, so
    /// that the same rate takes 0.6 times the bytes in flight, and windows, which grow with each round trip, are open that
    /// much sooner: by a model of it, 1 GiB from its beginning takes a tenth less time. Even smaller parts bring less than
    /// their requests cost.
    static let partByteCount = 4 << 20
    /// For how many reads a cursor that isn't read counts as one that is being read ahead.
    static let idleReadCountMax = 64

    /// What a read asks for beyond its own bytes.
    struct Advice: Equatable {
        /// Who wants it.
        enum Source: Equatable {
            case cursor(Int)
            case stride(Int)
        }

        /// Who wants it.
        let source: Source
        /// Bytes to read ahead, the most urgent range first. No two ranges have bytes in one block.
        let ranges: AheadRanges
        /// How big the window is when that has been asked for.
        let windowByteCount: Int

        /// The most that one request shall ask for.
        var partByteCount: Int { WindowGrowth.partByteCount(ofWindow: windowByteCount) }
    }

    private let objectByteCount: Int
    private var cursors: [ReadCursor] = []
    private var strides: [ReadStride] = []
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
    ///   - isWaiting: Whether bytes of `extent` have not come yet.
    ///   - share: How far the object may be read ahead in all; only asked when a window is to grow.
    /// - Returns: The advice, and whether a window was given up, so that parts in flight may have become useless.
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

    /// What `advice` says was asked for, in the order of its ranges, up to the block `firstRefused`, for which there was no
    /// memory; all of it if that is `nil`.
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
                // The bytes that are read next are at the end of the range, and those are what was refused.
                guard firstRefused == nil else { return }
                cursors[index].advance(to: range.lowerBound, windowByteCount: advice.windowByteCount)
            } else {
                let end = firstRefused.map { $0 * Block.byteCount } ?? range.upperBound
                guard end > range.lowerBound else { return }
                cursors[index].advance(to: end, windowByteCount: advice.windowByteCount)
            }
        }
    }

    /// Whether a window includes bytes of `range`.
    func want(_ range: Range<Int>) -> Bool {
        cursors.contains { $0.ahead.overlaps(range) } || strides.contains { $0.wants(range) }
    }

    /// Forgets what was read: nobody has the object open any more.
    mutating func removeAll() {
        cursors = []
        strides = []
    }
}

// MARK: Cursors

extension ReadWindows {
    /// The cursor nearest to `extent` of those that it may belong to.
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
        absorbNeighbours(of: &index)
        if cursors[index].windowByteCount == 0, cursors[index].run.lowerBound < start,
            let stride = startStride(at: index)
        {
            return advice(forStride: stride, share)
        }
        var wanted = WindowGrowth.window(of: cursors[index], isEager: isEager(cursors[index]))
        if let firstMissing, ahead.contains(firstMissing), cursors[index].windowByteCount > 0 {
            // It was read ahead, and was gone before it was read: memory is short, or the request failed. Begin again,
            // more modestly.
            cursors[index].shrink()
            wanted = cursors[index].windowByteCount
        }
        guard let wanted else { return nil }
        let streams = streamCount + (cursors[index].windowByteCount == 0 ? 1 : 0)
        let granted = min(wanted, share() / streams, WindowGrowth.windowByteCountMax)
        return cursors[index].missing(in: granted, objectByteCount: objectByteCount).map { range in
            Advice(source: .cursor(index), ranges: AheadRanges(range), windowByteCount: granted)
        }
    }

    /// Merges the cursor `index` with those that it has come to, or that have come to it.
    private mutating func absorbNeighbours(of index: inout Int) {
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

    /// Whether the run is likely to be read to the object's end: it began where the object does, and nobody reads
    /// elsewhere. Who comes after it doesn't count: that reader finds what this one has fetched.
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

    /// How many cursors and strides are being read ahead.
    private var streamCount: Int {
        cursors.count { isStreaming($0) } + strides.count { isBeingRead($0.lastUse) }
    }
}

// MARK: Strides

extension ReadWindows {
    /// Makes a stride of the run of the cursor `index` and two that came before it, if they are one.
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
