import BlockCache
import Testing

@testable import Reader

/// The elements of a stride that are prefetched.
struct ReadStrideTests {
    private static let mebibyte = 1 << 20

    /// Returns the elements that the last of `starts` prefetches, if `count` bytes are read at each of them in turn.
    private func advised(_ starts: [Int], count: Int = 4_096, share: Int = 1 << 30) -> [Int] {
        var object = SimulatedObject(byteCount: 1 << 30, share: share)
        var last: [Int] = []
        for start in starts { last = object.read(start..<start + count) }
        return last.map { $0 * Block.byteCount }
    }

    @Test(
        arguments: [
            // Two gaps of the same length. The present read counts as requested only if it was predicted.
            ([5, 7], []),
            ([5, 7, 9], [9, 11, 13, 15, 17]),
            ([5, 7, 9, 11], [19, 21, 23]),
            ([900, 800, 700], [700, 600, 500, 400, 300]),
            ([5, 7, 10], []),
            // The object's ends.
            ([1_019, 1_020, 1_021], [1_021, 1_022, 1_023]),
            ([1_021, 1_022, 1_023], [1_023]),
            ([7, 5, 3], [3, 1]),
            ([8, 5, 2], [2]),
            // Two strides at once, one of them with a read in between.
            ([100, 500, 110, 520, 120], [120, 130, 140, 150, 160]),
            ([100, 500, 110, 520, 120, 540], [540, 560, 580, 600, 620]),
            ([100, 110, 777, 120], [120, 130, 140, 150, 160]),
            // Elements that are skipped, or come late.
            ([10, 20, 30, 50], [80, 90, 100, 110]),
            ([10, 20, 30, 50, 40], []),
        ] as [([Int], [Int])])
    func `Three reads at a constant distance predict the next reads`(starts: [Int], expected: [Int]) {
        #expect(advised(starts.map { $0 * Self.mebibyte }) == expected.map { $0 * Self.mebibyte })
    }

    @Test func `The mean distance predicts reads that the kernel's pages make uneven`() {
        let starts = (0..<40).map { (352 + $0 * 1_000_000) / 4_096 * 4_096 }
        let ahead = advised(starts, count: 12_288)
        let expected = 352 + (39 + ReadStride.depthMax) * 1_000_000
        #expect(!ahead.isEmpty && ahead.allSatisfy { abs($0 - expected) <= Block.byteCount })
    }

    @Test(arguments: [(1 << 20, [9, 11, 13, 15, 17]), (1 << 19, [9, 11, 13]), (100_000, [])] as [(Int, [Int])])
    func `A stride stays within its share of the memory`(share: Int, expected: [Int]) {
        let starts = [5, 7, 9].map { $0 * Self.mebibyte }
        #expect(advised(starts, share: share) == expected.map { $0 * Self.mebibyte })
    }

    @Test func `Elements of a stride without memory are requested later`() throws {
        var windows = ReadWindows(objectByteCount: 1 << 30)
        var advice: ReadWindows.Advice?
        func read(_ megabyte: Int, firstMissing: Int? = nil) {
            let start = megabyte * Self.mebibyte
            advice = windows.note(start..<start + 4_096, firstMissing: firstMissing, isWaiting: true) { 1 << 30 }.0
        }
        for megabyte in [5, 7, 9] { read(megabyte) }
        windows.advance(try #require(advice), firstRefused: 13 * Self.mebibyte / Block.byteCount)
        #expect(windows.want(11 * Self.mebibyte..<12 * Self.mebibyte))
        #expect(!windows.want(13 * Self.mebibyte..<14 * Self.mebibyte))
        read(11)
        #expect(advice?.ranges.first?.lowerBound == 13 * Self.mebibyte)
    }

    @Test func `Elements of a stride that were evicted before they were read are requested again, fewer at a time`()
        throws
    {
        var windows = ReadWindows(objectByteCount: 1 << 30)
        var counts: [Int] = []
        for index in 5..<60 {
            let start = index * Self.mebibyte
            let isLost = index == 50
            let (advice, _) = windows.note(
                start..<start + 4_096, firstMissing: isLost ? start : nil, isWaiting: true
            ) { 1 << 30 }
            if let advice { windows.advance(advice, firstRefused: nil) }
            counts.append(advice?.ranges.count ?? 0)
        }
        #expect(counts[50 - 5] == ReadStride.depthMax / 2 + 1)
    }

    /// The distances of a stride may grow after all elements up to the object's end have been requested.
    @Test(arguments: [true, false])
    func `A stride requests nothing beyond the object if its last elements are misplaced`(
        isForward: Bool
    ) throws {
        let count = 12_288
        let objectByteCount = 10 * Self.mebibyte + count
        func element(_ index: Int, late: Int = 0) -> Range<Int> {
            let start = isForward ? index * Self.mebibyte + late : (10 - index) * Self.mebibyte - late
            return start..<start + count
        }
        var stride = try #require(
            ReadStride(element(0), element(1), element(2), objectByteCount: objectByteCount, lastUse: 0))
        for extent in [element(3), element(4), element(5, late: ReadStride.slackByteCount)] {
            stride.noteAsked(stride.missing(in: 1 << 30)?.count ?? 0)
            stride.advance(by: try #require(stride.step(of: extent)), to: extent, isMissing: false)
        }
        #expect(stride.wants(element(6)))
        #expect(!stride.wants(element(4)))
    }

    @Test func `A long stride keeps its position`() throws {
        let distance = 16 * Self.mebibyte
        func element(_ index: Int) -> Range<Int> { index * distance..<index * distance + 262_144 }
        var stride = try #require(
            ReadStride(element(0), element(1), element(2), objectByteCount: 1 << 40, lastUse: 0))
        for index in 3..<3_000 {
            #expect(stride.step(of: element(index)) == 1)
            stride.advance(by: 1, to: element(index), isMissing: false)
        }
    }
}
