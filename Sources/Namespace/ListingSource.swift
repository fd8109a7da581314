import Logging
import ObjectStore
import Synchronization

/// What the listings of one namespace have in common: where pages come from, and who hears what they brought.
final class ListingSource: Sendable {
    private let store: any ObjectStore
    private let requestTimeout: Duration
    private let logger: Logger
    /// Where the memory of listings is counted.
    let account = BlockAccount()
    /// How many entries came since somebody last asked.
    private let newEntryCount = Atomic<Int>(0)
    private let hasToldOfHidden = Atomic<Bool>(false)

    init(store: any ObjectStore, requestTimeout: Duration, logger: Logger) {
        self.store = store
        self.requestTimeout = requestTimeout
        self.logger = logger
    }

    /// Asks the store for a page, within the time that a request may take.
    ///
    /// S3 may answer with a page that is empty and has a successor; such pages are passed over here, so that an empty page
    /// always means that there is nothing.
    func list(_ request: ListRequest, completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void) {
        list(request, deadline: .now + requestTimeout, completion: completion)
    }

    private func list(
        _ request: ListRequest, deadline: ContinuousClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) {
        logger.debug(
            "list", metadata: ["prefix": "\(request.prefix)", "continued": "\(request.continuation != nil)"])
        store.list(request, deadline: deadline) { [self] result in
            guard case .success(let page) = result, let next = page.next else { return completion(result) }
            if next == request.continuation {
                return completion(
                    .failure(
                        StoreError(
                            .malformedResponse,
                            "the listing of \"\(request.prefix)\" comes back to a page that it has given")))
            }
            guard page.items.isEmpty else { return completion(result) }
            var request = request
            request.continuation = next
            list(request, deadline: deadline, completion: completion)
        }
    }

    /// Hears what a page added to the listing of `prefix`. The first key ever that no path can name is told of.
    func noteGrowth(_ growth: ListingGrowth, of prefix: Key) {
        newEntryCount.add(growth.entryCount, ordering: .relaxed)
        guard growth.hiddenCount > 0, let hidden = growth.firstHidden else { return }
        let isFirst = !hasToldOfHidden.exchange(true, ordering: .relaxed)
        logger.log(
            level: isFirst ? .notice : .debug,
            "keys that no path can name are hidden; docs/SEMANTICS.md tells which",
            metadata: ["prefix": "\(prefix)", "count": "\(growth.hiddenCount)", "first": "\(hidden)"])
    }

    /// How many entries came since the last call.
    func takeNewEntryCount() -> Int {
        newEntryCount.exchange(0, ordering: .relaxed)
    }
}
