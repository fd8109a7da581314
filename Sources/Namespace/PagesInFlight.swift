import ObjectStore
import Synchronization

/// The pages that are being listed ahead of anybody's asking, so that who needs one of them waits for it instead of asking
/// too.
final class PagesInFlight: Sendable {
    /// One page under way.
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

    /// A page is asked for that is expected to tell of the keys of `interval`. As many as there are requests ahead at once,
    /// at the most. Ends with `end`, whatever becomes of the request.
    func begin(expecting interval: KeyInterval) -> Token {
        state.withLock { state in
            state.pageCount += 1
            state.pages[state.pageCount] = Page(interval: interval)
            return Token(number: state.pageCount)
        }
    }

    /// The page has been absorbed, or won't come, as `result` says. Whoever waited for it looks again, or fails as well
    /// where the store was asked for as long as a request may take: they would wait twice as long otherwise.
    func end(_ token: Token, _ result: Result<ListPage, StoreError>) {
        let page = state.withLock { $0.pages.removeValue(forKey: token.number) }
        var lasting: StoreError?
        if case .failure(let error) = result, error.tookAllTime { lasting = error }
        for waiter in page?.waiters ?? [] { waiter(lasting) }
    }

    /// Waits for a page that is expected to tell of `key`. Whether there is one; `completion` is called when it has ended,
    /// with an error where asking again is of no use, and not at all where there is none.
    func wait(for key: Key, completion: @escaping @Sendable (StoreError?) -> Void) -> Bool {
        state.withLock { state in
            guard let number = state.pages.first(where: { $0.value.interval.contains(key) })?.key else { return false }
            state.pages[number]?.waiters.append(completion)
            return true
        }
    }
}
