import Synchronization

/// The memory that the blocks of one namespace take. It includes blocks of dropped listings that something else still
/// holds, such as an inode that the kernel knows.
final class BlockAccount: Sendable {
    private let total = Atomic<Int>(0)

    /// The total, in bytes.
    var byteCount: Int {
        total.load(ordering: .relaxed)
    }

    /// Counts a new block.
    func add(_ byteCount: Int) {
        total.add(byteCount, ordering: .relaxed)
    }

    /// Subtracts a block that was freed.
    func subtract(_ byteCount: Int) {
        total.subtract(byteCount, ordering: .relaxed)
    }
}
