import ObjectStore
import Synchronization

/// Asks for pages further on of a directory of numbered names, ahead of somebody who reads it.
///
/// `NumberedPages` says which. What they tell becomes islands of the listing, wherever they begin and end, so that a wrong
/// guess costs a request and never an entry. A request that fails is dropped without a word: the reader asks for what is
/// missing, and hears of the error.
final class NumberedReadAhead: Sendable {
    private let prefix: Key
    private let source: ListingSource
    private let pages: Mutex<NumberedPages>

    init(prefix: Key, source: ListingSource) {
        self.prefix = prefix
        self.source = source
        pages = Mutex(NumberedPages(widthLimit: source.aheadPageCountMax))
    }

    /// Where a listing is read.
    struct Place {
        /// The position of the entry that the reader wants next.
        let reader: [UInt8]
        /// The last position before which all is known.
        let front: [UInt8]
        /// Whether the page behind that is under way.
        let isFetching: Bool
    }

    /// A page of the directory's own has come.
    func note(_ page: ProvenPage) {
        if page.next == nil { return }
        let positions = page.items.suffix(NumberSeries.sampleCount).map { position($0) }
        pages.withLock { $0.note(positions, count: page.items.count) }
    }

    /// Somebody reads on, or there is more of the listing.
    func goOn(_ place: Place, of listing: Listing) {
        let guesses = pages.withLock {
            $0.plan(reader: place.reader, front: place.front, isFetching: place.isFetching)
        }
        for guess in guesses { send(guess, for: listing) }
    }

    private func send(_ guess: NumberedPages.Guess, for listing: Listing) {
        let request = ListRequest(prefix: prefix, isDelimited: true, startAfter: prefix.appending(guess.position))
        let expected = KeyInterval(
            lower: ProvenPage.beginning(of: request),
            upper: guess.endPosition.map { prefix.appending($0).next } ?? prefix.endOfPrefix)
        let token = source.pages.begin(expecting: expected)
        source.list(request) { [self] result in
            take(result, of: request, for: guess, listing)
            source.pages.end(token, result)
            if let place = listing.numberedPlace { goOn(place, of: listing) }
        }
    }

    private func take(
        _ result: Result<ListPage, StoreError>, of request: ListRequest, for guess: NumberedPages.Guess,
        _ listing: Listing
    ) {
        do throws(StoreError) {
            guard let page = try source.prove(result.get(), of: request) else {
                return pages.withLock { $0.fail(guess) }
            }
            let last = page.items.last.map { position($0) }
            pages.withLock { $0.settle(guess, last: last, isLast: page.next == nil) }
            listing.absorb(page)
        } catch {
            pages.withLock { $0.fail(guess) }
        }
    }

    private func position(_ item: ListPage.Item) -> [UInt8] {
        Array(item.key.bytes.dropFirst(prefix.bytes.count))
    }
}
