import ObjectStore
import Synchronization

/// Prefetches later pages of a directory with numbered names for its reader.
///
/// `NumberedPages` chooses them. They become islands of the listing, wherever they begin and end, so that a wrong guess
/// costs a request and never an entry. A failed request is dropped silently: the reader requests the missing page
/// itself and gets the error.
final class NumberedReadAhead: Sendable {
    private let prefix: Key
    private let context: ListingContext
    private let pages: Mutex<NumberedPages>

    init(prefix: Key, context: ListingContext) {
        self.prefix = prefix
        self.context = context
        pages = Mutex(NumberedPages(widthLimit: context.prefetchPageCountMax))
    }

    /// The position of a reader in a listing.
    struct ReadPosition {
        /// The sort key of the reader's next entry.
        let reader: [UInt8]
        /// The last sort key before which everything is known.
        let front: [UInt8]
        /// `true` if the page behind that is in flight.
        let isFetching: Bool
    }

    /// Notes an own page of the directory.
    func note(_ page: PageCoverage) {
        if page.next == nil { return }
        let sortKeys = page.items.suffix(NumberSeries.sampleCount).map { sortKey($0) }
        pages.withLock { $0.note(sortKeys, count: page.items.count) }
    }

    /// Prefetches pages after the reader has continued, or the listing has grown.
    func proceed(_ position: ReadPosition, of listing: DirectoryListing) {
        let guesses = pages.withLock {
            $0.plan(reader: position.reader, front: position.front, isFetching: position.isFetching)
        }
        for guess in guesses { send(guess, for: listing) }
    }

    private func send(_ guess: NumberedPages.Guess, for listing: DirectoryListing) {
        let request = ListRequest(prefix: prefix, isDelimited: true, startAfter: prefix.appending(guess.sortKey))
        let expected = KeyInterval(
            lower: PageCoverage.beginning(of: request),
            upper: guess.endSortKey.map { prefix.appending($0).next } ?? prefix.endOfPrefix)
        let token = context.pages.begin(expecting: expected)
        context.list(request) { [self] result in
            take(result, of: request, for: guess, listing)
            context.pages.end(token, result)
            if let position = listing.numberedPosition { proceed(position, of: listing) }
        }
    }

    private func take(
        _ result: Result<ListPage, StoreError>, of request: ListRequest, for guess: NumberedPages.Guess,
        _ listing: DirectoryListing
    ) {
        do throws(StoreError) {
            guard let page = try context.coverage(of: result.get(), answering: request) else {
                return pages.withLock { $0.fail(guess) }
            }
            let last = page.items.last.map { sortKey($0) }
            pages.withLock { $0.settle(guess, last: last, isLast: page.next == nil) }
            listing.absorb(page)
        } catch {
            pages.withLock { $0.fail(guess) }
        }
    }

    private func sortKey(_ item: ListPage.Item) -> [UInt8] {
        Array(item.key.bytes.dropFirst(prefix.bytes.count))
    }
}
