import BlockCache
import TestSupport

@testable import Reader

/// One object, read by applications through a kernel, with an unlimited cache. Counts the bytes that `ReadWindows`
/// makes the reader fetch.
struct SimulatedObject {
    let byteCount: Int
    private(set) var windows: ReadWindows
    private(set) var readCount = 0
    /// The number of requests, from the eighth one on, whose blocks had all been requested.
    private(set) var foreseenCount = 0
    // By block index.
    private var asked: [Bool]
    private var fetched: [Bool]
    private let isStarved: Bool
    private let share: Int

    /// Creates an object of which nothing was read.
    ///
    /// - Parameters:
    ///   - isStarved: `true` if every read has to wait for its bytes.
    ///   - share: The prefetch budget.
    init(byteCount: Int, isStarved: Bool = true, share: Int = 1 << 30) {
        self.byteCount = byteCount
        self.isStarved = isStarved
        self.share = share
        windows = ReadWindows(objectByteCount: byteCount)
        let blockCount = Block.indices(covering: 0..<byteCount).count
        asked = Array(repeating: false, count: blockCount)
        fetched = asked
    }

    /// The number of bytes requested by reads, in whole blocks.
    var askedByteCount: Int { asked.count { $0 } * Block.byteCount }
    /// The number of bytes fetched, in whole blocks.
    var fetchedByteCount: Int { fetched.count { $0 } * Block.byteCount }
    /// The percentage of requests, without the first seven, whose bytes had been requested.
    var foreseenPercent: Int { readCount > 7 ? 100 * foreseenCount / (readCount - 7) : 100 }

    /// Performs a request of the kernel.
    ///
    /// - Returns: The blocks that were prefetched.
    @discardableResult mutating func read(_ extent: Range<Int>) -> [Int] {
        let blocks = Block.indices(covering: extent)
        let missing = blocks.first { !fetched[$0] }
        readCount += 1
        if missing == nil, readCount > 7 { foreseenCount += 1 }
        for block in blocks {
            asked[block] = true
            fetched[block] = true
        }
        let share = share
        let (advice, _) = windows.note(
            extent, firstMissing: missing.map { max(extent.lowerBound, $0 * Block.byteCount) },
            isWaiting: isStarved || missing != nil
        ) { share }
        guard let advice else { return [] }
        let ahead = advice.ranges.flatMap { Array(Block.indices(covering: $0)) }
        precondition(Set(ahead).count == ahead.count, "\(advice) has a block twice")
        precondition(advice.ranges.allSatisfy { !$0.isEmpty && $0.lowerBound >= 0 && $0.upperBound <= byteCount })
        windows.advance(advice, firstRefused: nil)
        for block in ahead { fetched[block] = true }
        return ahead
    }
}

/// Linux's requests for an application's reads of one open file: uncached pages, in requests of up to 1 MiB, and
/// read-ahead for reads that look sequential. The requests of one read arrive in any order.
struct SimulatedKernel {
    private static let pageByteCount = 4_096
    private static let requestPageCountMax = 256

    private let byteCount: Int
    /// The pages in the page cache.
    private var cached: [Bool]
    private var previousPage = -2
    private var aheadPageCount = 4
    private var random: SeededGenerator

    init(byteCount: Int, seed: UInt64) {
        self.byteCount = byteCount
        cached = Array(repeating: false, count: (byteCount + Self.pageByteCount - 1) / Self.pageByteCount)
        random = SeededGenerator(seed: seed)
    }

    /// Returns the requests for a read of `range`.
    mutating func requests(for range: Range<Int>) -> [Range<Int>] {
        var pages = range.lowerBound / Self.pageByteCount..<(range.upperBound - 1) / Self.pageByteCount + 1
        let isSequential =
            pages.lowerBound == 0 || pages.lowerBound - previousPage == 0
            || pages.lowerBound - previousPage == 1
        previousPage = pages.upperBound - 1
        guard pages.contains(where: { !cached[$0] }) else { return [] }
        aheadPageCount = isSequential ? min(max(aheadPageCount, pages.count) * 2, Self.requestPageCountMax) : 4
        if isSequential { pages = pages.lowerBound..<pages.upperBound + aheadPageCount }
        return cut(pages.clamped(to: cached.indices))
            .shuffled(using: &random)
    }

    private mutating func cut(_ pages: Range<Int>) -> [Range<Int>] {
        var requests: [Range<Int>] = []
        var start: Int?
        for page in pages.lowerBound...pages.upperBound {
            let isMissing = page < pages.upperBound && !cached[page]
            if let first = start, !isMissing || page - first == Self.requestPageCountMax {
                requests.append(first * Self.pageByteCount..<min(page * Self.pageByteCount, byteCount))
                start = nil
            }
            if isMissing, start == nil { start = page }
            if isMissing { cached[page] = true }
        }
        return requests
    }
}
