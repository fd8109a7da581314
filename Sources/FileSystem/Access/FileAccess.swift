import ObjectStore
import Synchronization

/// How one object version was opened and read, by all who did. Whoever has it open holds this.
///
/// A read costs two additions to atomics, and those of `PartCounts` where the object is large: no lock, and no memory.
final class FileAccess: Sendable {
    private let openCount = Atomic<Int>(0)
    private let localOpenCount = Atomic<Int>(0)
    private let readCount = Atomic<Int>(0)
    private let failureCount = Atomic<Int>(0)
    private let byteCount = Atomic<Int>(0)
    private let parts: PartCounts?

    /// Nothing yet, of an object of so many bytes.
    init(of objectByteCount: Int) {
        parts = objectByteCount < PartCounts.objectByteCountMin ? nil : PartCounts(of: objectByteCount)
    }

    /// It was opened.
    func noteOpen() { openCount.add(1, ordering: .relaxed) }
    /// An open is answered with a file that the kernel reads by itself.
    func noteLocalOpen() { localOpenCount.add(1, ordering: .relaxed) }

    /// A read is answered with these bytes of the object.
    func noteRead(_ range: Range<Int>) {
        readCount.add(1, ordering: .relaxed)
        byteCount.add(range.count, ordering: .relaxed)
        parts?.note(range)
    }

    /// A read ends with an error.
    func noteFailure() {
        readCount.add(1, ordering: .relaxed)
        failureCount.add(1, ordering: .relaxed)
    }

    /// What was counted so far.
    var counts: AccessCounts {
        var counts = AccessCounts()
        counts.openCount = openCount.load(ordering: .relaxed)
        counts.localOpenCount = localOpenCount.load(ordering: .relaxed)
        counts.readCount = readCount.load(ordering: .relaxed)
        counts.failureCount = failureCount.load(ordering: .relaxed)
        counts.byteCount = byteCount.load(ordering: .relaxed)
        return counts
    }

    /// The bytes that were read of each of its equal parts; `nil` for a small object.
    var partByteCounts: [Int]? { parts?.all }
}
