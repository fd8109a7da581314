import Synchronization

/// How much memory the blocks of one namespace take: also those of listings that are gone, as long as something else, such
/// as an inode that the kernel knows, holds them.
final class BlockAccount: Sendable {
    private let total = Atomic<Int>(0)

    /// All of it, in bytes.
    var byteCount: Int {
        total.load(ordering: .relaxed)
    }

    /// A block of this size has come to be.
    func add(_ byteCount: Int) {
        total.add(byteCount, ordering: .relaxed)
    }

    /// A block of this size is gone.
    func subtract(_ byteCount: Int) {
        total.subtract(byteCount, ordering: .relaxed)
    }
}
