import Testing

@testable import Reader

/// The bytes that reads of an object prefetch.
struct ReadWindowsTests {
    static let gibibyte = 1 << 30
    static let block = 128 << 10
    /// A distance behind a delayed part at which another part is early.
    static let far = WindowGrowth.earlyByteCountMin + ReadWindows.partByteCount

    /// Reads `extents` in turn, and requests all advised ranges.
    private func advice(_ extents: [Range<Int>], size: Int = gibibyte, share: Int = gibibyte) -> [Range<Int>?] {
        var windows = ReadWindows(objectByteCount: size)
        return extents.map { extent in
            let (advice, _) = windows.note(extent, firstMissing: nil, isWaiting: true) { share }
            if let advice { windows.advance(advice, firstRefused: nil) }
            return advice?.ranges.first
        }
    }

    /// Windows after a stream of reads up to `end`, so that the window has its largest size.
    private func streaming(upTo end: Int) -> ReadWindows {
        var windows = ReadWindows(objectByteCount: Self.gibibyte)
        for start in stride(from: 0, to: end, by: Self.block) {
            let extent = start..<start + Self.block
            let (advice, _) = windows.note(extent, firstMissing: nil, isWaiting: true) { Self.gibibyte }
            if let advice { windows.advance(advice, firstRefused: nil) }
        }
        return windows
    }

    /// Windows of a stream up to `end` that were extended as far as possible: a read waits for the part at `end`, and
    /// all parts far behind it have arrived.
    private func extended(upTo end: Int, share: Int = gibibyte) -> (windows: ReadWindows, advised: [Range<Int>]) {
        var windows = streaming(upTo: end)
        let delayed = end - Self.block..<end + (4 << 20)
        var advised: [Range<Int>] = []
        for start in stride(from: end + Self.far, to: Self.gibibyte, by: 4 << 20) {
            let advice = windows.extend(after: start..<start + (4 << 20), awaited: [delayed]) { share }
            guard let advice else { break }
            windows.advance(advice, firstRefused: nil)
            advised += advice.ranges.map(\.self)
        }
        return (windows, advised)
    }

    @Test func `A window grows by each part that arrives long before one that reads wait for, up to twice its size`() {
        let end = 256 << 20
        let advised = extended(upTo: end).advised
        let usual = end - (4 << 20) + WindowGrowth.windowByteCountMax..<end + WindowGrowth.windowByteCountMax
        #expect(advised.first.map { usual.contains($0.lowerBound) } == true)
        #expect(advised.last?.upperBound == end + 2 * WindowGrowth.windowByteCountMax)
        #expect(zip(advised, advised.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
    }

    @Test func `A window that grew because of a delayed part keeps its size`() {
        let end = 256 << 20
        var windows = extended(upTo: end).windows
        let read = end..<end + (8 << 20)
        let (advice, _) = windows.note(read, firstMissing: nil, isWaiting: false) { Self.gibibyte }
        #expect(advice?.windowByteCount == 2 * WindowGrowth.windowByteCountMax)
        #expect(advice?.ranges.last?.upperBound == read.upperBound + 2 * WindowGrowth.windowByteCountMax)
    }

    /// Each with the parts that reads wait for.
    @Test(arguments: [
        [], [(256 << 20) + (60 << 20)..<(256 << 20) + (64 << 20)], [16 << 20..<20 << 20],
        [(256 << 20) + far - (4 << 20)..<(256 << 20) + far],
    ])
    func `A window does not grow by a part without a read of its stream that waits for bytes far before it`(
        awaited: [Range<Int>]
    ) {
        var windows = streaming(upTo: 256 << 20)
        let part = (256 << 20) + Self.far..<(256 << 20) + Self.far + (4 << 20)
        let advice = windows.extend(after: part, awaited: awaited) { Self.gibibyte }
        #expect(advice == nil)
    }

    @Test func `A window grows no further than the memory for it`() {
        let end = 256 << 20
        let advised = extended(upTo: end, share: WindowGrowth.windowByteCountMax).advised
        #expect(advised.allSatisfy { $0.upperBound <= end + WindowGrowth.windowByteCountMax })
    }

    @Test(
        arguments: [
            ([0..<4096], gibibyte, [0..<1 << 20]),
            ([0..<348], 348, [0..<348]),
            ([5000..<5001], 1 << 20, [0..<1 << 20]),
            ([gibibyte - 32..<gibibyte], gibibyte, [nil]),
            ([0..<4096, gibibyte - 4096..<gibibyte], gibibyte, [0..<1 << 20, nil]),
            (
                [gibibyte - block * 2..<gibibyte - block, gibibyte - block..<gibibyte - 5], gibibyte, [nil, nil]
            ),
            ([512 << 20..<(512 << 20) + 4096], gibibyte, [nil]),
            ([10 << 20..<(10 << 20) + block, 5 << 20..<(5 << 20) + block], gibibyte, [nil, nil]),
            ([block * 80..<block * 81, block * 81..<block * 82], gibibyte, [nil, block * 82..<block * 84]),
            ([block * 81..<block * 82, block * 80..<block * 81], gibibyte, [nil, nil]),
            ([0..<block, block..<block * 2], gibibyte, [0..<1 << 20, nil]),
            ([0..<block, block..<block * 6], gibibyte, [0..<1 << 20, block * 8..<block * 32]),
            ([0..<block, block * 5..<block * 6], gibibyte, [0..<1 << 20, nil]),
        ] as [([Range<Int>], Int, [Range<Int>?])])
    func `The window of a read depends on its offset and on the reads before it`(
        extents: [Range<Int>], size: Int, expected: [Range<Int>?]
    ) {
        #expect(advice(extents, size: size) == expected)
    }

    @Test(arguments: [(block, 0), (4096, 0), (4800, 4800), (1 << 20, 0)])
    func `A forward reader requests every byte once, and always has a window`(count: Int, skip: Int) {
        let size = 100 << 20
        var extents: [Range<Int>] = []
        var offset = 0
        while offset < size {
            extents.append(offset..<min(offset + count, size))
            offset += count + skip
        }
        var end = 0
        var wrong: [Range<Int>] = []
        for (extent, ahead) in zip(extents, advice(extents, size: size)) {
            if let ahead {
                // A read that reaches beyond the window fetches these blocks itself.
                let demanded = (extent.upperBound + Self.block - 1) / Self.block * Self.block
                let isRight =
                    ahead.lowerBound == (extent.lowerBound == 0 ? 0 : max(end, demanded))
                    && ahead.upperBound - extent.upperBound <= WindowGrowth.windowByteCountMax
                if !isRight { wrong.append(extent) }
                end = ahead.upperBound
            }
            if end < extent.upperBound { wrong.append(extent) }
        }
        #expect(wrong == [])
        #expect(end == size)
    }

    @Test func `A window stays within its share of the memory, down to none`() {
        let extents = (0..<64).map { $0 * Self.block..<($0 + 1) * Self.block }
        for ahead in zip(extents, advice(extents, share: 1 << 20)) {
            #expect((ahead.1?.upperBound ?? 0) <= ahead.0.upperBound + (1 << 20))
        }
        #expect(advice(extents, share: 100).dropFirst().compactMap(\.self).isEmpty)
    }

    @Test(
        arguments: [
            // Two backward reads may be two reordered requests; a third one makes a direction.
            ([99, 98, 97], [nil, nil, 93..<97]),
            ([99, 98, 97, 96, 95, 94], [nil, nil, 93..<97, nil, nil, 88..<93]),
            ([99, 97], [nil, nil]),
            ([3, 2, 1], [nil, nil, 0..<1]),
            ([2, 1, 0], [nil, nil, nil]),
            // The direction changes.
            ([50, 49, 48, 51, 52], [nil, nil, 44..<48, 52..<54, nil]),
            // Reordered requests, again and again.
            ([51, 50, 53, 52, 55, 54], [nil, nil, 54..<56, nil, 56..<62, nil]),
        ] as [([Int], [Range<Int>?])])
    func `Reads of single blocks near each other open windows`(blocks: [Int], expected: [Range<Int>?]) {
        let extents = blocks.map { $0 * Self.block..<($0 + 1) * Self.block }
        let advised = advice(extents).map { $0.map { $0.lowerBound / Self.block..<$0.upperBound / Self.block } }
        #expect(advised == expected)
    }

    @Test(arguments: [(true, WindowGrowth.windowByteCountMax), (false, WindowGrowth.openByteCountMax)])
    func `A window grows beyond 64 MiB only for a reader that waits for bytes`(isWaiting: Bool, expected: Int) {
        var windows = ReadWindows(objectByteCount: 4 * Self.gibibyte)
        var greatest = 0
        for offset in stride(from: 0, to: Self.gibibyte, by: 1 << 20) {
            let (advice, _) = windows.note(offset..<offset + (1 << 20), firstMissing: nil, isWaiting: isWaiting) {
                Self.gibibyte
            }
            guard let advice else { continue }
            windows.advance(advice, firstRefused: nil)
            greatest = max(greatest, advice.windowByteCount)
            // The bytes wasted by an end at this point.
            #expect(advice.ranges[0].upperBound <= 4 * (offset + (1 << 20)) + (1 << 20))
        }
        #expect(greatest == expected)
    }

    @Test func `A window without memory is requested again, and evicted bytes shrink it`() throws {
        var windows = ReadWindows(objectByteCount: Self.gibibyte)
        func note(_ block: Int, isMissing: Bool = false) -> ReadWindows.Advice? {
            let extent = block * Self.block..<(block + 1) * Self.block
            let firstMissing = isMissing ? extent.lowerBound : nil
            return windows.note(extent, firstMissing: firstMissing, isWaiting: true) { Self.gibibyte }.0
        }
        let first = try #require(note(0))
        windows.advance(first, firstRefused: 4)
        #expect(windows.want(3 * Self.block..<4 * Self.block))
        #expect(!windows.want(4 * Self.block..<5 * Self.block))
        let second = try #require(note(1))
        #expect(second.ranges[0].lowerBound == 4 * Self.block)
        windows.advance(second, firstRefused: nil)
        let third = try #require(note(2, isMissing: true))
        #expect(third.windowByteCount < second.windowByteCount)
        windows.removeAll()
        #expect(!windows.want(0..<Self.gibibyte))
    }

    @Test func `A new sequence of reads replaces the least recently read one`() {
        var windows = ReadWindows(objectByteCount: Self.gibibyte)
        var gaveUp: [Int] = []
        // No cursor is at the same distance from two others.
        for (number, mebibytes) in [0, 100, 210, 330, 460, 600, 750, 910, 1_000].enumerated() {
            for block in 0..<2 {
                let start = (mebibytes << 20) + block * Self.block
                let (advice, gaveUpWindow) = windows.note(
                    start..<start + Self.block, firstMissing: nil, isWaiting: true
                ) { Self.gibibyte }
                if let advice { windows.advance(advice, firstRefused: nil) }
                if gaveUpWindow { gaveUp.append(number) }
            }
        }
        #expect(gaveUp == [ReadWindows.cursorCountMax])
        #expect(!windows.want(0..<50 << 20))
        #expect(windows.want(50 << 20..<150 << 20))
    }
}
