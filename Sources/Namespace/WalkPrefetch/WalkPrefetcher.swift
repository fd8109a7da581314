import ObjectStore
import Synchronization

/// Prefetches listings for programs that walk the tree.
///
/// `WalkDetector` chooses the requests. Their pages go into the cache like any other; a caller that needs one in flight
/// waits for it. A failed request is dropped silently: a program that comes to these directories requests them itself
/// and gets the error.
///
/// In a store that doesn't list in order, pages that begin at a prediction prove nothing. Then nothing is prefetched.
final class WalkPrefetcher: Sendable {
    private let cache: DirectoryCache
    private let context: ListingContext
    private let view: CachedTreeView
    private let walks: Mutex<WalkDetector>

    init(cache: DirectoryCache, context: ListingContext) {
        self.cache = cache
        self.context = context
        view = CachedTreeView(cache: cache, hasArchive: context.hasArchive)
        walks = Mutex(WalkDetector(unvisitedCountMax: context.prefetchPageCountMax))
    }

    /// Notes that a program begins to read a directory's entries. Must be called before they are requested, so that the
    /// reader can wait for a prefetched page.
    func noteRead(_ listing: DirectoryListing) {
        guard context.order.isTrusted else { return }
        let wasKnown = listing.isComplete || listing.entryCount > 0
        send(walks.withLock { $0.noteRead(listing.prefix, wasKnown: wasKnown, in: view) })
    }

    /// Notes a lookup in a directory of which nothing was known.
    func noteMiss(_ directory: Key) {
        guard context.order.isTrusted else { return }
        send(walks.withLock { $0.noteMiss(directory, in: view) })
    }

    private func send(_ requests: [PrefetchRequest]) {
        guard context.order.isTrusted else { return }
        for prefetch in requests {
            prefetch.send(to: context, for: cache) { [self] in take($0, for: prefetch) }
        }
    }

    private func take(_ result: Result<PageCoverage, StoreError>, for prefetch: PrefetchRequest) {
        switch result {
        case .success(let page):
            let keys = page.items.map(\.key)
            send(walks.withLock { $0.noteArrival(prefetch.name, keys, in: page.interval, tree: view) })
        case .failure:
            walks.withLock { $0.noteFailure(prefetch.name) }
        }
    }
}
