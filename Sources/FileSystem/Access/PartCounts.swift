import Synchronization

/// How many bytes were read of each of the equal parts of a large object.
///
/// A read costs an addition to an atomic for each part that it touches: one or two, where the object is much larger than
/// what the kernel asks for at once.
final class PartCounts: Sendable {
    /// How many parts an object has.
    static let count = 64
    /// The smallest object with parts: a part of it is as large as a block of the cache.
    static let objectByteCountMin = 8 << 20

    private let objectByteCount: Int
    private let byteCounts = InlineArray<64, Atomic<Int>> { _ in Atomic(0) }

    /// The parts of an object of so many bytes.
    init(of objectByteCount: Int) {
        self.objectByteCount = objectByteCount
    }

    /// Where a part begins; that of `count` is the object's end.
    private func start(of index: Int) -> Int {
        // An object's size has a limit (`ObjectVersion.byteCountLimit`), so this can't overflow.
        (index * objectByteCount + PartCounts.count - 1) / PartCounts.count
    }

    /// Bytes were read, within the object's size.
    func note(_ range: Range<Int>) {
        var start = range.lowerBound
        var index = start * PartCounts.count / objectByteCount
        while start < range.upperBound {
            let end = min(self.start(of: index + 1), range.upperBound)
            byteCounts[index].add(end - start, ordering: .relaxed)
            start = end
            index += 1
        }
    }

    /// What was counted so far, a number for each part.
    var all: [Int] {
        byteCounts.indices.map { byteCounts[$0].load(ordering: .relaxed) }
    }
}
