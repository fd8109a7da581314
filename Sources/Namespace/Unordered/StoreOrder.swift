import ObjectStore
import Synchronization

/// The trust in the order of the store's listings, that of the bytes of keys. It lasts until a page disproves the order, and
/// never comes back.
///
/// A page of an ordered listing proves what is *not* there. Where the store turns out to list in another order, everything that
/// was derived from its order is withdrawn, and each directory is listed to its end before it is shown.
final class StoreOrder: Sendable {
    private let hasOrder: Atomic<Bool>
    private let reaction = Mutex<Reaction?>(nil)

    /// The action that runs when the order is disproved.
    private struct Reaction {
        let run: @Sendable (_ prefix: Key, _ key: Key) -> Void
    }

    init(isTrusted: Bool) {
        hasOrder = Atomic(isTrusted)
    }

    /// `true` if pages prove that nothing is between their items.
    var isTrusted: Bool { hasOrder.load(ordering: .acquiring) }

    /// Sets the action that withdraws what was derived from the order. Called once at the most, from the thread that disproves it.
    func onDisproof(_ action: @escaping @Sendable (_ prefix: Key, _ key: Key) -> Void) {
        reaction.withLock { $0 = Reaction(run: action) }
    }

    /// Notes that the listing of `prefix` has `key` where no ordered listing has it.
    func disprove(by key: Key, in prefix: Key) {
        guard hasOrder.exchange(false, ordering: .acquiringAndReleasing) else { return }
        reaction.withLock { $0 }?.run(prefix, key)
    }
}
