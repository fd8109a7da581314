import ObjectStore
import Synchronization

/// Lists ahead of those who walk the tree, so that they find known what they come to.
///
/// `WalkDetector` says what to ask for. What comes is absorbed by the tree like any other page; while it is under way, who needs it
/// waits for it. A request that fails is dropped without a word: whoever comes to these directories asks for them, and
/// hears of the error themselves.
///
/// Pages that begin at a guess prove nothing where the store lists in no order: then nothing is asked for prefetch.
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

    /// Somebody begins to read a directory's entries. To be called before these are asked for, so that what is asked for here
    /// serves them too.
    func noteRead(_ listing: DirectoryListing) {
        guard context.order.isTrusted else { return }
        let wasKnown = listing.isComplete || listing.entryCount > 0
        send(walks.withLock { $0.noteRead(listing.prefix, wasKnown: wasKnown, in: view) })
    }

    /// Somebody looked up a name in a directory of which nothing was known.
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
