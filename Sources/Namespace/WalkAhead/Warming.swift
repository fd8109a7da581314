import ObjectStore
import Synchronization

/// Lists everything below a directory into the tree, at full width, until all is known or a page can't be had. Folder by folder
/// where the store lists in no order.
final class Warming: Sendable {
    let progress = WarmProgress()
    private let tree: KnownTree
    private let source: ListingSource
    private let view: WalkedListings
    private let sweep: Mutex<Sweep>
    private let folders: Mutex<FolderSweep>

    init(below root: Key, tree: KnownTree, source: ListingSource) {
        self.tree = tree
        self.source = source
        view = WalkedListings(tree: tree, hasArchive: source.hasArchive)
        sweep = Mutex(Sweep(below: root))
        folders = Mutex(FolderSweep(below: root))
    }

    /// Begins, and returns at once.
    func start() {
        goOn()
    }

    private func goOn(with first: AheadRequest? = nil) {
        if progress.isDone { return }
        guard source.order.isTrusted else { return goOnByFolder() }
        let (requests, isDone) = sweep.withLock { sweep in
            let requests = sweep.plan(view)
            return (requests, sweep.isDone)
        }
        if isDone { progress.finish() }
        for ahead in (first.map { [$0] } ?? []) + requests {
            ahead.send(to: source, for: tree) { [self] in take($0, for: ahead) }
        }
    }

    private func take(_ result: Result<ProvenPage, StoreError>, for ahead: AheadRequest) {
        switch result {
        case .success(let page):
            let keys = page.items.map(\.key)
            let (next, keyCount) = sweep.withLock { sweep in
                let next = sweep.noteArrival(ahead.name, keys, in: page.interval)
                return (next, sweep.keyCount)
            }
            progress.note(keyCount: keyCount)
            goOn(with: next)
        case .failure(let error):
            if !source.order.isTrusted { return goOnByFolder() }
            progress.finish(error)
        }
    }

    private func goOnByFolder() {
        while !progress.isDone, let prefix = folders.withLock({ $0.next() }) {
            let listing = tree.listing(prefix)
            // At once, so that many of them in a row don't call each other.
            if listing.isComplete {
                take(listing)
                continue
            }
            listing.readAll { [self] error in
                if let error { return progress.finish(error) }
                take(listing)
                goOnByFolder()
            }
        }
        if folders.withLock({ $0.isDone }) { progress.finish() }
    }

    private func take(_ listing: Listing) {
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
