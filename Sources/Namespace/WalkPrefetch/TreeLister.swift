import ObjectStore
import Synchronization

/// Lists everything below a directory into the cache with many requests at once, until everything is known or a page
/// fails; folder by folder if the store doesn't list in order.
final class TreeLister: Sendable {
    let progress = TreeListerProgress()
    private let cache: DirectoryCache
    private let context: ListingContext
    private let view: CachedTreeView
    private let plan: Mutex<TreeListingPlan>
    private let folders: Mutex<FolderListingPlan>

    init(below root: Key, cache: DirectoryCache, context: ListingContext) {
        self.cache = cache
        self.context = context
        view = CachedTreeView(cache: cache, hasArchive: context.hasArchive)
        plan = Mutex(TreeListingPlan(below: root))
        folders = Mutex(FolderListingPlan(below: root))
    }

    /// Begins, and returns at once.
    func start() {
        proceed()
    }

    private func proceed(with first: PrefetchRequest? = nil) {
        if progress.isDone { return }
        guard context.order.isTrusted else { return proceedByFolder() }
        let (requests, isDone) = plan.withLock { plan in
            let requests = plan.nextRequests(view)
            return (requests, plan.isDone)
        }
        if isDone { progress.finish() }
        for prefetch in (first.map { [$0] } ?? []) + requests {
            prefetch.send(to: context, for: cache) { [self] in take($0, for: prefetch) }
        }
    }

    private func take(_ result: Result<PageCoverage, StoreError>, for prefetch: PrefetchRequest) {
        switch result {
        case .success(let page):
            let keys = page.items.map(\.key)
            let (next, keyCount) = plan.withLock { plan in
                let next = plan.noteArrival(prefetch.name, keys, in: page.interval)
                return (next, plan.keyCount)
            }
            progress.note(keyCount: keyCount)
            proceed(with: next)
        case .failure(let error):
            if !context.order.isTrusted { return proceedByFolder() }
            progress.finish(error)
        }
    }

    private func proceedByFolder() {
        while !progress.isDone, let prefix = folders.withLock({ $0.next() }) {
            let listing = cache.listing(prefix)
            // In this loop, so that many known folders in a row don't recurse.
            if listing.isComplete {
                take(listing)
                continue
            }
            listing.readAll { [self] error in
                if let error { return progress.finish(error) }
                take(listing)
                proceedByFolder()
            }
        }
        if folders.withLock({ $0.isDone }) { progress.finish() }
    }

    private func take(_ listing: DirectoryListing) {
        let subdirectories = listing.knownSubdirectories(from: [], limit: .max)
        let keyCount = folders.withLock { folders in
            folders.finish(
                subdirectories.map { listing.prefix.directory($0) },
                keyCount: listing.entryCount - subdirectories.count)
            return folders.keyCount
        }
        progress.note(keyCount: keyCount)
    }
}
