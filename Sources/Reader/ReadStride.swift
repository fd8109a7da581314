import BlockCache

/// Reads of about the same length at a constant distance, forward or backward, and a prediction of the next ones.
///
/// An *element* is the bytes read at one position. The kernel may split it into several requests and rounds it to
/// pages, so lengths and distances vary by a page even if those of the application are constant.
struct ReadStride {
    /// The tolerance of an element's position: a page for its start, and another one for the error of the mean
    /// distance. A page has 4 KiB.
    static let slackByteCount = 2 * pageByteCount
    /// The longest elements that are recognized. Longer ones are runs, whose own windows work as well.
    static let elementByteCountMax = 4 << 20
    /// The most elements to prefetch. At S3's latency (20 ms), 64 requests of a few hundred KiB reach 700 MB/s.
    static let depthMax = 64
    /// The number of elements by which a read may be late: as many processes may share the work.
    static let lateCountMax = 16

    private static let pageByteCount = 4 << 10
    /// More steps than this don't improve the mean distance, and products of offsets might overflow.
    private static let stepCountMax = 1 << 10

    /// The last element read, in the direction of the stride.
    private(set) var last: Range<Int>
    /// The number of elements that are requested, counted from `last`; 0 if `last` may be missing.
    private(set) var askedCount = 0
    /// The time of the last read, as a number of reads.
    var lastUse: Int

    /// The distance to `last` from the element `stepCount` elements before; negative if backward.
    private var span: Int
    private var stepCount = 2
    /// The number of reads that moved from one element to another.
    private var advanceCount = 2
    /// `true` if all elements were exactly at their expected position.
    private var isExact: Bool
    /// The most elements to prefetch: less than `depthMax` after some were evicted before they were read.
    private var depthLimit = ReadStride.depthMax
    private let objectByteCount: Int

    /// Creates the stride of three runs, the last of which may continue; `nil` if they don't form one.
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

    /// `true` if no two elements share a block or belong to one run.
    private var areElementsApart: Bool {
        abs(span) / stepCount > last.count + ReadCursor.skipByteCountMax
    }

    /// Returns the distance from the start of the last element to the element `step` steps after it.
    private func offset(ofStep step: Int) -> Int {
        (span * step).dividedDown(by: stepCount)
    }

    // MARK: Reads

    /// Returns the number of steps from the last element to the one in which `extent` begins, 0 or less if that was
    /// read already; `nil` if it begins outside the elements.
    func step(of extent: Range<Int>) -> Int? {
        let offset = extent.lowerBound - last.lowerBound
        let quotient = ((offset + ReadStride.slackByteCount) * stepCount).dividedDown(by: abs(span))
        let step = span > 0 ? quotient : -quotient
        let within = offset - self.offset(ofStep: step)
        guard step > 0 else { return step >= -ReadStride.lateCountMax && within < last.count ? step : nil }
        // Only a read that begins at an element's expected start shows that the stride continues.
        return step <= askedCount + 1 && within <= ReadStride.slackByteCount ? step : nil
    }

    /// Records a read in the element `step` steps after the last one.
    ///
    /// - Parameter isMissing: `true` if bytes of it are neither cached nor in flight.
    mutating func advance(by step: Int, to extent: Range<Int>, isMissing: Bool) {
        if isMissing, step >= 0, step < askedCount, extent.lowerBound >= last.lowerBound + offset(ofStep: step) {
            // The element was prefetched and evicted before it was read, or its request failed: memory is short.
            // Restart with fewer elements.
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
            // Both are halved alike, even if the number is odd: the mean stays the same.
            span = (span * (stepCount / 2)).dividedDown(by: stepCount)
            stepCount /= 2
        }
    }

    // MARK: Prediction

    /// Returns the elements to prefetch if `byteCount` bytes are allowed, starting after those already requested.
    ///
    /// Twice as many as were read: the bytes wasted when the reader stops never exceed its reads by much, and each
    /// round trip triples the number in flight.
    func missing(in byteCount: Int) -> AheadRanges? {
        guard areElementsApart else { return nil }
        let share = byteCount / (last.count.roundedUpToBlock + Block.byteCount)
        let depth = min(2 * advanceCount, depthLimit, share)
        // The elements that begin within the object.
        let room = span > 0 ? objectByteCount - 1 - last.lowerBound : last.lowerBound
        let end = min(depth, room * stepCount / abs(span)) + 1
        guard depth > 0, end > askedCount else { return nil }
        let slack = isExact ? 0 : ReadStride.slackByteCount
        return ranges(askedCount..<end, from: last.lowerBound - slack..<last.upperBound + slack)
    }

    /// Records that the first `count` elements returned by `missing` were requested.
    mutating func noteAsked(_ count: Int) {
        askedCount += count
    }

    /// Returns `true` if requested elements that have not been passed overlap `range`.
    func wants(_ range: Range<Int>) -> Bool {
        ranges(0..<askedCount, from: last).contains { $0.overlaps(range) }
    }

    private func ranges(_ steps: Range<Int>, from base: Range<Int>) -> AheadRanges {
        AheadRanges(steps, from: base, byteCount: span, stepCount: stepCount, objectByteCount: objectByteCount)
    }
}
