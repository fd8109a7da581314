import Testing

@testable import Reader

/// Which bytes the reads of an object ask for ahead.
struct ReadWindowsTests {
    static let gibibyte = 1 << 30
    static let block = 128 << 10

    /// Reads `extents` in turn, all that is advised being asked for.
    private func advice(_ extents: [Range<Int>], size: Int = gibibyte, share: Int = gibibyte) -> [Range<Int>?] {
        var windows = ReadWindows(objectByteCount: size)
        return extents.map { extent in
            let (advice, _) = windows.note(extent, firstMissing: nil) { share }
            if let advice { windows.advance(advice, to: advice.ahead.upperBound) }
            return advice?.ahead
        }
    }

    @Test(
        arguments: [
            ([0..<4096], gibibyte, [0..<1 << 20]),
            ([0..<348], 348, [0..<348]),
            ([5000..<5001], 1 << 20, [0..<1 << 20]),
            ([gibibyte - 32..<gibibyte], gibibyte, [nil]),
            ([512 << 20..<(512 << 20) + 4096], gibibyte, [nil]),
            ([10 << 20..<(10 << 20) + block, 5 << 20..<(5 << 20) + block], gibibyte, [nil, nil]),
            ([block * 80..<block * 81, block * 81..<block * 82], gibibyte, [nil, block * 82..<block * 84]),
            ([block * 81..<block * 82, block * 80..<block * 81], gibibyte, [nil, nil]),
            ([0..<block, block * 5..<block * 6], gibibyte, [0..<1 << 20, block * 8..<block * 22]),
        ] as [([Range<Int>], Int, [Range<Int>?])])
    func `a read asks ahead for what its place and the reads before it tell`(
        extents: [Range<Int>], size: Int, expected: [Range<Int>?]
    ) {
        #expect(advice(extents, size: size) == expected)
    }

    @Test(arguments: [(block, 0), (4096, 0), (4800, 4800), (1 << 20, 0)])
    func `reading forward asks for every byte once and is never without a window`(count: Int, skip: Int) {
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
                    && ahead.upperBound - extent.upperBound <= ReadWindows.windowByteCountMax
                if !isRight { wrong.append(extent) }
                end = ahead.upperBound
            }
            if end < extent.upperBound { wrong.append(extent) }
        }
        #expect(wrong == [])
        #expect(end == size)
    }

    @Test func `a window keeps to its share of the memory, down to none`() {
        let extents = (0..<64).map { $0 * Self.block..<($0 + 1) * Self.block }
        for ahead in zip(extents, advice(extents, share: 1 << 20)) {
            #expect((ahead.1?.upperBound ?? 0) <= ahead.0.upperBound + (1 << 20))
        }
        #expect(advice(extents, share: 100).dropFirst().compactMap(\.self).isEmpty)
    }
}
