import ObjectStore
import Synchronization

/// Lists ahead of those who walk the tree, so that they find known what they come to.
///
/// `Walks` says what to ask for. What comes is absorbed by the tree like any other page; while it is under way, who needs it
/// waits for it. A request that fails is dropped without a word: whoever comes to these directories asks for them, and
/// hears of the error themselves.
///
/// Pages that begin at a guess prove nothing where the store lists in no order: then nothing is asked for ahead.
final class WalkAhead: Sendable {
    private let tree: KnownTree
    private let source: ListingSource
    private let view: WalkedListings
    private let walks: Mutex<Walks>

    init(tree: KnownTree, source: ListingSource) {
        self.tree = tree
        self.source = source
        view = WalkedListings(tree: tree, hasArchive: source.hasArchive)
        walks = Mutex(Walks(unvisitedCountMax: source.aheadPageCountMax))
    }

    /// Somebody begins to read a directory's entries. To be called before these are asked for, so that what is asked for here
    /// serves them too.
    func noteRead(_ listing: Listing) {
        guard source.order.isTrusted else { return }
        let wasKnown = listing.isComplete || listing.entryCount > 0
        send(walks.withLock { $0.noteRead(listing.prefix, wasKnown: wasKnown, in: view) })
    }

    /// Somebody looked up a name in a directory of which nothing was known.
    func noteMiss(_ directory: Key) {
        guard source.order.isTrusted else { return }
        send(walks.withLock { $0.noteMiss(directory, in: view) })
    }

    private func send(_ requests: [AheadRequest]) {
        guard source.order.isTrusted else { return }
        for ahead in requests {
            ahead.send(to: source, for: tree) { [self] in take($0, for: ahead) }
        }
    }

    private func take(_ result: Result<ProvenPage, StoreError>, for ahead: AheadRequest) {
        switch result {
        case .success(let page):
            let keys = page.items.map(\.key)
            send(walks.withLock { $0.noteArrival(ahead.name, keys, in: page.interval, tree: view) })
        case .failure:
            walks.withLock { $0.noteFailure(ahead.name) }
        }
    }
}
