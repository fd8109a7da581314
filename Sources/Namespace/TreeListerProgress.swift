public import ObjectStore
import Synchronization

/// The progress of listing a tree (`Namespace.listTree`). Safe to use from any thread.
public final class TreeListerProgress: Sendable {
    private struct State {
        var keyCount = 0
        var pageCount = 0
        var isDone = false
        var error: StoreError?
    }

    private let state = Mutex(State())

    /// The number of keys so far.
    public var keyCount: Int { state.withLock { $0.keyCount } }

    /// The number of pages so far.
    public var pageCount: Int { state.withLock { $0.pageCount } }

    /// `true` once everything is listed, or an error or `cancel` has ended the listing.
    public var isDone: Bool { state.withLock { $0.isDone } }

    /// The error that ended the listing; `cancelled` after `cancel`.
    public var error: StoreError? { state.withLock { $0.error } }

    /// Cancels the listing: no more requests are sent. Pages in flight are still used.
    public func cancel() {
        finish(StoreError(.cancelled, "the listing was canceled"))
    }

    /// Counts a page, after which `keyCount` keys are listed in all.
    func note(keyCount: Int) {
        state.withLock { state in
            state.pageCount += 1
            state.keyCount = keyCount
        }
    }

    /// Ends the listing, unless it has ended already.
    func finish(_ error: StoreError? = nil) {
        state.withLock { state in
            if state.isDone { return }
            state.isDone = true
            state.error = error
        }
    }
}
