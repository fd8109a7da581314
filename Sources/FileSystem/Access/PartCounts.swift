import Synchronization

/// The bytes read of each of the equal parts of a large object.
///
/// A read costs one atomic addition for each part that it touches: one or two if the object is much larger than the
/// kernel's requests.
final class PartCounts: Sendable {
    /// The number of parts of an object.
    static let count = 64
    /// The smallest object with parts: its parts are as large as a block of the cache.
    static let objectByteCountMin = 8 << 20

    private let objectByteCount: Int
    private let byteCounts = InlineArray<64, Atomic<Int>> { _ in Atomic(0) }

    /// Creates the parts of an object of `objectByteCount` bytes.
    init(of objectByteCount: Int) {
        self.objectByteCount = objectByteCount
    }

    /// Returns the offset of a part; for `count`, the object's end.
    private func start(of index: Int) -> Int {
        // An object's size has a limit (`ObjectVersion.byteCountLimit`), so this can't overflow.
        (index * objectByteCount + PartCounts.count - 1) / PartCounts.count
    }

    /// Records a read of bytes within the object's size.
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

    /// The bytes read so far of each part.
    var all: [Int] {
        byteCounts.indices.map { byteCounts[$0].load(ordering: .relaxed) }
    }
}
