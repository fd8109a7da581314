import BlockCache
import Testing
import TestSupport

@testable import Reader

/// The cost of access patterns and the share of reads that are prefetched, through a kernel that splits, reorders and
/// reads ahead.
struct ReadPatternTests {
    /// The reads of an application: offsets and lengths.
    struct Pattern: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let byteCount: Int
        var reads: [Range<Int>]
        /// The bytes that may be wasted for each ten bytes requested.
        var vainTenths = 3

        /// Returns reads of `count` bytes every `distance` bytes from `start` on, as far as they are within the object.
        static func strided(
            _ name: String, byteCount: Int, from start: Int = 0, count: Int, distance: Int, vainTenths: Int = 3
        ) -> Pattern {
            let reads = stride(from: start, to: distance > 0 ? byteCount : -1, by: distance).map {
                $0..<min($0 + count, byteCount)
            }
            return Pattern(testDescription: name, byteCount: byteCount, reads: reads, vainTenths: vainTenths)
        }

        /// Returns sequential streams of `length` bytes, each of which reads `count` bytes in turn.
        static func interleaved(
            _ name: String, byteCount: Int, starts: [Int], upTo length: Int, count: Int
        ) -> Pattern {
            let reads = stride(from: 0, to: length, by: count).flatMap { offset in
                starts.map { $0 + offset..<min($0 + offset + count, byteCount) }
            }
            return Pattern(testDescription: name, byteCount: byteCount, reads: reads)
        }

        /// Returns the same reads in pieces of `count` bytes.
        func inPieces(of count: Int) -> Pattern {
            var pieces = self
            pieces.reads = reads.flatMap { read in
                stride(from: read.lowerBound, to: read.upperBound, by: count).map {
                    $0..<min($0 + count, read.upperBound)
                }
            }
            return pieces
        }
    }

    private static let mebibyte = 1 << 20
    private static let kibibyte = 1 << 10
    private static let gibibyte = 1 << 30

    private static let backward = [4 * kibibyte, 128 * kibibyte, 200_000, mebibyte].map { count in
        Pattern.strided(
            "backward in \(count)", byteCount: 64 * mebibyte, from: 64 * mebibyte - count, count: count,
            distance: -count)
    }

    private static let strided: [Pattern] = [
        .strided("256 KiB every 16 MiB", byteCount: gibibyte, count: 256 * kibibyte, distance: 16 * mebibyte),
        .strided("4 KiB every MiB", byteCount: gibibyte, count: 4 * kibibyte, distance: mebibyte),
        .strided("100 kB every 1,234,567", byteCount: gibibyte, from: 352, count: 100_000, distance: 1_234_567),
        .strided(
            "256 KiB every -16 MiB", byteCount: gibibyte, from: gibibyte - 16 * mebibyte, count: 256 * kibibyte,
            distance: -16 * mebibyte),
        .strided(
            "37 kB every -3,893,760", byteCount: gibibyte, from: gibibyte - 40_000, count: 37_440,
            distance: -3_893_760),
        .strided("2 MiB every 32 MiB", byteCount: 4 * gibibyte, count: 2 * mebibyte, distance: 32 * mebibyte),
        .strided("4.8 kB of 9.6 kB", byteCount: 100 * mebibyte, count: 4_800, distance: 9_600),
        .strided("64 KiB of 128 KiB", byteCount: 100 * mebibyte, count: 64 * kibibyte, distance: 128 * kibibyte),
        Pattern.strided(
            "256 KiB in pieces every 8 MiB", byteCount: gibibyte, count: 256 * kibibyte, distance: 8 * mebibyte,
            vainTenths: 6
        ).inPieces(of: 64 * kibibyte),
    ]

    private static let interleaved: [Pattern] = [
        .interleaved(
            "2 streams", byteCount: 256 * mebibyte, starts: [0, 128 * mebibyte], upTo: 128 * mebibyte,
            count: 128 * kibibyte),
        .interleaved(
            "2 streams, ended early", byteCount: gibibyte, starts: [0, 512 * mebibyte], upTo: 64 * mebibyte,
            count: 128 * kibibyte),
        .interleaved(
            "8 streams", byteCount: gibibyte, starts: (0..<8).map { $0 * 128 * mebibyte }, upTo: 128 * mebibyte,
            count: mebibyte),
        .interleaved(
            "3 streams, anywhere", byteCount: gibibyte, starts: [5_000_000, 300_000_000, 777_777_777],
            upTo: 100 * mebibyte, count: 65_536),
    ]

    private static let whole: [Pattern] = [4_096, 128 * kibibyte, 3 * mebibyte].map { count in
        Pattern.strided("forward in \(count)", byteCount: 100_000_000, count: count, distance: count, vainTenths: 0)
    }

    @Test(arguments: backward + strided + interleaved + whole, [1, 2] as [UInt64])
    func `A regular pattern of reads is prefetched, with little waste`(pattern: Pattern, seed: UInt64) {
        let object = simulate(pattern, seed: seed)
        let (fetched, asked) = (object.fetchedByteCount, object.askedByteCount)
        #expect(fetched * 10 <= asked * (10 + pattern.vainTenths), "seed \(seed): \(fetched) bytes for \(asked)")
        #expect(object.foreseenPercent >= 90, "seed \(seed)")
    }

    @Test(arguments: backward + strided + interleaved, [1, 2] as [UInt64])
    func `A sequence that ends early has fetched at most three times the bytes read`(pattern: Pattern, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var early = pattern
        early.reads = Array(pattern.reads.prefix(Int.random(in: 1...pattern.reads.count, using: &random)))
        let object = simulate(early, seed: seed)
        let limit = 3 * object.askedByteCount + ReadCursor.firstByteCount
        #expect(object.fetchedByteCount <= limit, "seed \(seed), \(early.reads.count) reads")
    }

    @Test(arguments: [4_096, 1 << 20], 1...16 as ClosedRange<UInt64>)
    func `Random reads request only their own blocks`(count: Int, seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let pageCount = (Self.gibibyte - count) / 4_096
        let starts = (0..<1_000).map { _ in Int.random(in: 0...pageCount, using: &random) * 4_096 }
        let reads = starts.map { $0..<$0 + count }
        let object = simulate(
            Pattern(testDescription: "random", byteCount: Self.gibibyte, reads: reads), seed: seed)
        #expect(object.fetchedByteCount * 10 <= object.askedByteCount * 12, "seed \(seed)")
    }

    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func `Many readers of separate ranges of an object prefetch all of it`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let byteCount = Int.random(in: 200...300, using: &random) * Self.mebibyte
        let pieces = stride(from: 0, to: byteCount, by: Self.mebibyte).map { $0..<$0 + Self.mebibyte }
        // Each of four readers takes the next piece, and stays within three pieces of the others.
        var reads: [Range<Int>] = []
        for group in stride(from: 0, to: pieces.count, by: 4) {
            reads += pieces[group..<min(group + 4, pieces.count)].shuffled(using: &random)
        }
        var object = SimulatedObject(byteCount: byteCount)
        for read in reads { object.read(read) }
        #expect(object.foreseenPercent >= 90, "seed \(seed)")
    }

    @Test(arguments: 1...40 as ClosedRange<UInt64>)
    func `Windows never repeat a block or exceed the object, and are small if memory is scarce`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let byteCount = Int.random(in: 1...(300 << 20), using: &random)
        let share = Int.random(in: 0...(64 << 20), using: &random)
        var object = SimulatedObject(
            byteCount: byteCount, isStarved: .random(using: &random), share: share)
        var offset = 0
        var step = 0
        for _ in 0..<2_000 {
            if Int.random(in: 0..<20, using: &random) == 0 {
                offset = Int.random(in: 0..<byteCount, using: &random)
                step = [1, 4_096, 300_000, 5 << 20].randomElement(using: &random) ?? 1
                if Bool.random(using: &random) { step = -step }
            }
            let count = Int.random(in: 1...(1 << Int.random(in: 1...20, using: &random)), using: &random)
            guard (0..<byteCount).contains(offset) else { continue }
            let ahead = object.read(offset..<min(offset + count, byteCount))
            let limit = max(share, ReadCursor.firstByteCount)
            #expect(ahead.count * Block.byteCount <= limit, "seed \(seed)")
            offset += step + (abs(step) == 1 ? step * count : 0) + Int.random(in: 0...1, using: &random) * 4_096
        }
    }

    private func simulate(_ pattern: Pattern, seed: UInt64) -> SimulatedObject {
        var kernel = SimulatedKernel(byteCount: pattern.byteCount, seed: seed)
        var object = SimulatedObject(byteCount: pattern.byteCount)
        for read in pattern.reads {
            for request in kernel.requests(for: read) { object.read(request) }
        }
        return object
    }
}
