import BlockCache

/// Reads of about the same length at a constant distance, forward or backward, and which of them come next.
///
/// An *element* is what is read at one place. The kernel may ask for it in several requests and cuts it at pages, so that
/// lengths and distances vary by a page even where those of the application are constant.
struct ReadStride {
    /// How far an element may be from where it is expected: a page for where it begins, and another one for what the mean
    /// of the distances is off. A page has 4 KiB.
    static let slackByteCount = 2 * pageByteCount
    /// The longest elements that are recognised. Longer ones are runs whose own windows serve as well.
    static let elementByteCountMax = 4 << 20
    /// How many elements are asked for ahead at the most. At S3's latency (20 ms), 64 requests of a few hundred KiB bring
    /// 700 MB/s.
    static let depthMax = 64
    /// How many elements late a read may come: as many processes may share the work.
    static let lateCountMax = 16

    private static let pageByteCount = 4 << 10
    /// More steps than this don't make the mean of the distances any better, and products of offsets might overflow.
    private static let stepCountMax = 1 << 10

    /// The element that was read last, in the direction of the stride.
    private(set) var last: Range<Int>
    /// How many elements are asked for from `last` on: 0 if `last` itself may not be.
    private(set) var askedCount = 0
    /// When it was last read, in reads.
    var lastUse: Int

    /// How far it is to `last` from the element that was read `stepCount` elements before; negative backward.
    private var span: Int
    private var stepCount = 2
    /// How many reads went on from one element to another.
    private var advanceCount = 2
    /// Whether all elements were where they were expected, to the byte.
    private var isExact: Bool
    /// The most elements to ask for ahead: less than `depthMax` after some were gone before they were read.
    private var depthLimit = ReadStride.depthMax
    private let objectByteCount: Int

    /// The stride that three runs are, the last of which may go on; `nil` if they aren't one.
    init?(_ first: Range<Int>, _ middle: Range<Int>, _ last: Range<Int>, objectByteCount: Int, lastUse: Int) {
        let distance = last.lowerBound - middle.lowerBound
        let drift = distance - (middle.lowerBound - first.lowerBound)
        let byteCount = max(first.count, middle.count)
        guard abs(drift) <= ReadStride.pageByteCount,
            abs(first.count - middle.count) <= ReadStride.slackByteCount,
            last.count <= byteCount + ReadStride.slackByteCount, byteCount <= ReadStride.elementByteCountMax
        else { return nil }
        self.last = last.lowerBound..<last.lowerBound + max(byteCount, last.count)
        span = last.lowerBound - first.lowerBound
        isExact = drift == 0
        self.lastUse = lastUse
        self.objectByteCount = objectByteCount
        guard areElementsApart else { return nil }
    }

    /// Whether no two elements have bytes in one block, nor belong to one run.
    private var areElementsApart: Bool {
        abs(span) / stepCount > last.count + ReadCursor.skipByteCountMax
    }

    /// How far the element that is `step` after the last one begins behind it.
    private func offset(ofStep step: Int) -> Int {
        (span * step).dividedDown(by: stepCount)
    }

    // MARK: Reads

    /// How many elements after the last one `extent` begins in, 0 or less if in one that was read; `nil` if it begins
    /// elsewhere.
    func step(of extent: Range<Int>) -> Int? {
        let offset = extent.lowerBound - last.lowerBound
        let quotient = ((offset + ReadStride.slackByteCount) * stepCount).dividedDown(by: abs(span))
        let step = span > 0 ? quotient : -quotient
        let within = offset - self.offset(ofStep: step)
        guard step > 0 else { return step >= -ReadStride.lateCountMax && within < last.count ? step : nil }
        // Only what begins where an element does shows that the stride goes on, and only where it was expected.
        return step <= askedCount + 1 && within <= ReadStride.slackByteCount ? step : nil
    }

    /// A read in the element that is `step` after the last one.
    ///
    /// - Parameter isMissing: Whether bytes of it are neither cached nor in flight.
    mutating func advance(by step: Int, to extent: Range<Int>, isMissing: Bool) {
        if isMissing, step >= 0, step < askedCount, extent.lowerBound >= last.lowerBound + offset(ofStep: step) {
            // It was read ahead, and was gone before it was read: memory is short, or the request failed. Begin again,
            // more modestly.
            depthLimit = max(1, depthLimit / 2)
            askedCount = step
        }
        guard step > 0 else { return }
        let observed = extent.lowerBound - last.lowerBound
        isExact = isExact && observed == offset(ofStep: step)
        span += observed
        last = extent.lowerBound..<extent.lowerBound + last.count
        advanceCount += 1
        stepCount += step
        askedCount = max(askedCount - step, 0)
        if stepCount > ReadStride.stepCountMax {
            // Halved alike, also where the number is odd: the mean stays what it is.
            span = (span * (stepCount / 2)).dividedDown(by: stepCount)
            stepCount /= 2
        }
    }

    // MARK: What comes next

    /// Which elements to ask for, if `byteCount` bytes may be read ahead; the first of them is the one after those that are
    /// asked for.
    ///
    /// Twice as many as were seen: what is fetched in vain when the reader stops is never much more than what it has
    /// read, and after each round trip there are three times as many under way.
    func missing(in byteCount: Int) -> AheadRanges? {
        guard areElementsApart else { return nil }
        let share = byteCount / (last.count.roundedUpToBlock + Block.byteCount)
        let depth = min(2 * advanceCount, depthLimit, share)
        // The ones that begin within the object.
        let room = span > 0 ? objectByteCount - 1 - last.lowerBound : last.lowerBound
        let end = min(depth, room * stepCount / abs(span)) + 1
        guard depth > 0, end > askedCount else { return nil }
        let slack = isExact ? 0 : ReadStride.slackByteCount
        return ranges(askedCount..<end, from: last.lowerBound - slack..<last.upperBound + slack)
    }

    /// The first `count` of the elements that `missing` gave were asked for.
    mutating func noteAsked(_ count: Int) {
        askedCount += count
    }

    /// Whether elements that were asked for and have not been passed overlap `range`.
    func wants(_ range: Range<Int>) -> Bool {
        ranges(0..<askedCount, from: last).contains { $0.overlaps(range) }
    }

    private func ranges(_ steps: Range<Int>, from base: Range<Int>) -> AheadRanges {
        AheadRanges(steps, from: base, byteCount: span, stepCount: stepCount, objectByteCount: objectByteCount)
    }
}
