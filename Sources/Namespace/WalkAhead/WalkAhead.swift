import ObjectStore
import Synchronization

/// Lists ahead of those who walk the tree, so that they find known what they come to.
///
/// `Walks` says what to ask for. What comes is absorbed by the tree like any other page; while it is under way, who needs it
/// waits for it. A request that fails is dropped without a word: whoever comes to these directories asks for them, and
/// hears of the error themselves.
final class WalkAhead: Sendable {
    /// What a page of entries takes in memory, about: a thousand of 40 bytes, and their names.
    private static let pageByteCount = 100 << 10

    private let tree: KnownTree
    private let source: ListingSource
    private let view: WalkedListings
    private let walks: Mutex<Walks>

    /// - Parameter metadataByteLimit: How much memory listings may take; pages that nobody has seen get a quarter of it.
    init(tree: KnownTree, source: ListingSource, metadataByteLimit: Int) {
        self.tree = tree
        self.source = source
        view = WalkedListings(tree: tree, hasArchive: source.hasArchive)
        walks = Mutex(Walks(unvisitedCountMax: max(1, metadataByteLimit / 4 / WalkAhead.pageByteCount)))
    }

    /// Somebody begins to read a directory's entries. To be called before these are asked for, so that what is asked for here
    /// serves them too.
    func noteRead(_ listing: Listing) {
        let wasKnown = listing.isComplete || listing.entryCount > 0
        send(walks.withLock { $0.noteRead(listing.prefix, wasKnown: wasKnown, in: view) })
    }

    /// Somebody looked up a name in a directory of which nothing was known.
    func noteMiss(_ directory: Key) {
        send(walks.withLock { $0.noteMiss(directory, in: view) })
    }

    private func send(_ requests: [AheadRequest]) {
        for ahead in requests {
            let token = tree.pagesUnderWay.begin(expecting: ahead.expected)
            let askedAt = ContinuousClock.now
            source.list(ahead.request) { [self] result in
                take(result, for: ahead, askedAt: askedAt)
                tree.pagesUnderWay.end(token)
            }
        }
    }

    private func take(_ result: Result<ListPage, StoreError>, for ahead: AheadRequest, askedAt: ContinuousClock.Instant)
    {
        do throws(StoreError) {
            let page = try ProvenPage(result.get(), of: ahead.request)
            tree.absorb(page, askedAt: askedAt)
            let keys = page.items.map(\.key)
            send(walks.withLock { $0.noteArrival(ahead.name, keys, in: page.interval, tree: view) })
        } catch {
            walks.withLock { $0.noteFailure(ahead.name) }
        }
    }
}
