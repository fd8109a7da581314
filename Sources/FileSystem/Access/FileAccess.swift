import ObjectStore
import Synchronization

/// The opens and reads of one object version by all its users. Each open file holds this.
///
/// A read costs two atomic additions, plus those of `PartCounts` for a large object: no lock, and no allocation.
final class FileAccess: Sendable {
    private let openCount = Atomic<Int>(0)
    private let localOpenCount = Atomic<Int>(0)
    private let readCount = Atomic<Int>(0)
    private let failureCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int>(0)
    private let parts: PartCounts?

    /// Creates empty counts for an object of `objectByteCount` bytes.
    init(of objectByteCount: Int) {
        parts = objectByteCount < PartCounts.objectByteCountMin ? nil : PartCounts(of: objectByteCount)
    }

    /// Records an open.
    func noteOpen() { openCount.add(1, ordering: .relaxed) }
    /// Records an open that is answered with a local file, which the kernel reads directly.
    func noteLocalOpen() { localOpenCount.add(1, ordering: .relaxed) }

    /// Records a read of these bytes of the object.
    func noteRead(_ range: Range<Int>) {
        readCount.add(1, ordering: .relaxed)
        byteCount.add(range.count, ordering: .relaxed)
        parts?.note(range)
    }

    /// Records a read that failed.
    func noteFailure() {
        readCount.add(1, ordering: .relaxed)
        failureCount.add(1, ordering: .relaxed)
    }

    /// The counts so far.
    var counts: AccessCounts {
        var counts = AccessCounts()
        counts.openCount = openCount.load(ordering: .relaxed)
        counts.localOpenCount = localOpenCount.load(ordering: .relaxed)
        counts.readCount = readCount.load(ordering: .relaxed)
        counts.failureCount = failureCount.load(ordering: .relaxed)
        counts.byteCount = byteCount.load(ordering: .relaxed)
        return counts
    }

    /// The bytes read of each of the object's equal parts; `nil` for a small object.
    var partByteCounts: [Int]? { parts?.all }
}
