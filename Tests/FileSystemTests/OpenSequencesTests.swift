import TestSupport
import Testing

@testable import FileSystem

/// Predictions of the next opens in a folder.
struct OpenSequencesTests {
    /// Opens `indices` in turn and requests all advised entries.
    private func fresh(_ indices: [Int]) -> [Range<Int>?] {
        var sequences = OpenSequences()
        return indices.map { index in
            let advice = sequences.note(index)
            if let advice { sequences.advance(advice, to: advice.fresh.upperBound) }
            return advice?.fresh
        }
    }

    @Test(
        arguments: [
            // Three opens in a row are a sequence, two aren't.
            ([0, 1], [nil, nil]),
            ([0, 1, 2], [nil, nil, 3..<7]),
            ([7, 8, 9], [nil, nil, 10..<14]),
            ([0, 1, 2, 3, 4, 5], [nil, nil, 3..<7, nil, nil, 7..<14]),
            // The same file opened several times in a row, as nibabel does.
            ([0, 0, 0, 1, 1, 1, 2], [nil, nil, nil, nil, nil, nil, 3..<7]),
            // Some entries are skipped, but neither many in a row nor most of them.
            ([0, 2, 3], [nil, nil, 4..<8]),
            ([0, 1, 7, 8], [nil, nil, nil, nil]),
            ([0, 4, 8, 12, 16], [nil, nil, nil, nil, nil]),
            // Backward, or at random.
            ([9, 8, 7, 6], [nil, nil, nil, nil]),
            ([50, 3, 70, 20, 90], [nil, nil, nil, nil, nil]),
            // Processes that work through one list, and processes that divide it.
            ([1, 0, 3, 2, 4], [nil, nil, 4..<8, nil, nil]),
            ([2, 9, 0, 5, 1, 8, 4, 3, 11], [nil, nil, nil, nil, nil, nil, nil, nil, 12..<16]),
            ([0, 100, 1, 101, 99, 98, 97, 2, 3], [nil, nil, nil, nil, nil, nil, nil, 3..<7, nil]),
            ([0, 100, 1, 101, 2, 102], [nil, nil, nil, nil, 3..<7, 103..<107]),
        ] as [([Int], [Range<Int>?])])
    func `opens in order prefetch the next entries`(indices: [Int], expected: [Range<Int>?]) {
        #expect(fresh(indices) == expected)
    }

    @Test func `the prefetch window of a folder doubles up to its limit and stays ahead`() {
        var end = 0
        var greatest = 0
        for (index, fresh) in fresh(Array(0..<1_000)).enumerated() {
            if let fresh {
                #expect(fresh.lowerBound == max(end, index + 1))
                end = fresh.upperBound
            }
            greatest = max(greatest, end - index - 1)
            if index >= OpenSequences.openCountMin { #expect(end > index, "\(index) was not prefetched") }
        }
        #expect(greatest == OpenSequences.windowCountMax)
    }

    @Test func `entries that were not requested are advised again`() throws {
        var sequences = OpenSequences()
        var advice = sequences.note(0)
        for index in 1...2 { advice = sequences.note(index) }
        sequences.advance(try #require(advice), to: 4)
        advice = sequences.note(3)
        #expect(advice?.fresh.lowerBound == 4)
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `processes that divide a folder prefetch each entry once`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let shareCount = Int.random(in: 1...OpenSequences.sequenceCountMax, using: &random)
        let length = Int.random(in: 30...100, using: &random)
        var positions = (0..<shareCount).map { $0 * length }
        var asked: [Int: Int] = [:]
        var surprises = 0
        var sequences = OpenSequences()
        for _ in 0..<length {
            for share in positions.indices.shuffled(using: &random) {
                if asked[positions[share]] == nil { surprises += 1 }
                if let advice = sequences.note(positions[share]) {
                    for entry in advice.fresh { asked[entry, default: 0] += 1 }
                    sequences.advance(advice, to: advice.fresh.upperBound)
                }
                positions[share] += 1
            }
        }
        #expect(asked.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(surprises <= OpenSequences.openCountMin * shareCount, "seed \(seed)")
    }

    @Test(arguments: 1...30 as ClosedRange<UInt64>)
    func `processes that work through a folder together prefetch each entry once`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let count = Int.random(in: 100...600, using: &random)
        let processCount = Int.random(in: 1...16, using: &random)
        // Each process opens the next entry when it has finished its own, which may take a while.
        var opens: [Int] = []
        var waiting = Array(0..<processCount)
        var next = processCount
        while !waiting.isEmpty {
            let isLate = waiting[0] + OpenSequences.lateCountMax / 2 < next
            opens.append(waiting.remove(at: isLate ? 0 : Int.random(in: 0..<waiting.count, using: &random)))
            if next < count { waiting.append(next) }
            next += 1
        }
        var asked: [Int: Int] = [:]
        var opened: Set<Int> = []
        var sequences = OpenSequences()
        var surprises = 0
        for index in opens {
            if asked[index] == nil { surprises += 1 }
            opened.insert(index)
            guard let advice = sequences.note(index) else { continue }
            for entry in advice.fresh { asked[entry, default: 0] += 1 }
            sequences.advance(advice, to: advice.fresh.upperBound)
            #expect(advice.window.count <= OpenSequences.windowCountMax, "seed \(seed)")
        }
        #expect(asked.values.allSatisfy { $0 == 1 }, "seed \(seed)")
        #expect(surprises <= 3 * processCount + OpenSequences.openCountMin, "seed \(seed)")
    }
}
