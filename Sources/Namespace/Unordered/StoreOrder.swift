import ObjectStore
import Synchronization

/// The assumption that the store lists keys in the order of their bytes. It holds until a page disproves it, and never
/// comes back.
///
/// A page of an ordered listing proves the *absence* of keys. If the store turns out to list in another order,
/// everything that was concluded from the order is withdrawn, and each directory is listed to its end before it is
/// shown.
final class StoreOrder: Sendable {
    private let hasOrder: Atomic<Bool>
    private let reaction = Mutex<Reaction?>(nil)

    /// The action to run when the order is disproved.
    private struct Reaction {
        let run: @Sendable (_ prefix: Key, _ key: Key) -> Void
    }

    init(isTrusted: Bool) {
        hasOrder = Atomic(isTrusted)
    }

    /// `true` if pages prove that there is nothing between their items.
    var isTrusted: Bool { hasOrder.load(ordering: .acquiring) }

    /// Sets the action that withdraws conclusions from the order. It runs at most once, on the thread that disproves
    /// the order.
    func onDisproof(_ action: @escaping @Sendable (_ prefix: Key, _ key: Key) -> Void) {
        reaction.withLock { $0 = Reaction(run: action) }
    }

    /// Notes that the listing of `prefix` isn't in order at `key`.
    func disprove(by key: Key, in prefix: Key) {
        guard hasOrder.exchange(false, ordering: .acquiringAndReleasing) else { return }
        reaction.withLock { $0 }?.run(prefix, key)
    }
}
