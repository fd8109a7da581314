public import ObjectStore
import Synchronization

/// How far the listing of a tree has come (`Namespace.warm`). It may be asked from any thread.
public final class TreeListingProgress: Sendable {
    private struct State {
        var keyCount = 0
        var pageCount = 0
        var isDone = false
        var error: StoreError?
    }

    private let state = Mutex(State())

    /// How many keys were listed.
    public var keyCount: Int { state.withLock { $0.keyCount } }

    /// How many pages have come.
    public var pageCount: Int { state.withLock { $0.pageCount } }

    /// Whether it is over: all is listed, or an error or `cancel` ended it.
    public var isDone: Bool { state.withLock { $0.isDone } }

    /// What ended it before its time; `cancelled` after `cancel`.
    public var error: StoreError? { state.withLock { $0.error } }

    /// Ends it: nothing more is asked for, and what is under way is kept when it comes.
    public func cancel() {
        finish(StoreError(.cancelled, "the listing was broken off"))
    }

    /// A page has come, with which so many keys are listed altogether.
    func note(keyCount: Int) {
        state.withLock { state in
            state.pageCount += 1
            state.keyCount = keyCount
        }
    }

    /// It is over, unless it was already.
    func finish(_ error: StoreError? = nil) {
        state.withLock { state in
            if state.isDone { return }
            state.isDone = true
            state.error = error
        }
    }
}
