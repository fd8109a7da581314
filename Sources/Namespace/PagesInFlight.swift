import ObjectStore
import Synchronization

/// The pages that are being prefetched, so that a caller that needs one of them waits for it instead of sending another
/// request.
final class PagesInFlight: Sendable {
    /// One page in flight.
    struct Token: Hashable, Sendable {
        fileprivate let number: Int
    }

    private struct Page {
        let interval: KeyInterval
        var waiters: [@Sendable (StoreError?) -> Void] = []
    }

    private struct State {
        var pages: [Int: Page] = [:]
        var pageCount = 0
    }

    private let state = Mutex(State())

    /// Begins a page that is expected to cover the keys of `interval`. Every page ends with `end`. There are at most as
    /// many as prefetches run at once.
    func begin(expecting interval: KeyInterval) -> Token {
        state.withLock { state in
            state.pageCount += 1
            state.pages[state.pageCount] = Page(interval: interval)
            return Token(number: state.pageCount)
        }
    }

    /// Ends a page that was added or that failed, as `result` says. Callers that waited for it continue. If the failure
    /// took the whole timeout of a request, they fail as well: otherwise they would wait twice as long.
    func end(_ token: Token, _ result: Result<ListPage, StoreError>) {
        let page = state.withLock { $0.pages.removeValue(forKey: token.number) }
        var lasting: StoreError?
        if case .failure(let error) = result, error.tookAllTime { lasting = error }
        for waiter in page?.waiters ?? [] { waiter(lasting) }
    }

    /// Waits for a page that is expected to cover `key`. Returns `false` if there is none; `completion` isn't called
    /// then.
    ///
    /// - Parameter completion: Called when the page has ended; with an error if another request would be useless.
    func wait(for key: Key, completion: @escaping @Sendable (StoreError?) -> Void) -> Bool {
        state.withLock { state in
            guard let number = state.pages.first(where: { $0.value.interval.contains(key) })?.key else { return false }
            state.pages[number]?.waiters.append(completion)
            return true
        }
    }
}
