import Logging
import ObjectStore
import StateLog
import Synchronization
import SystemSupport

/// The environment that all listings of a namespace share: the store, the archive, the account of memory, the log.
final class ListingContext: Sendable {
    /// The approximate memory of a page: a thousand entries of 40 bytes, and their names.
    private static let pageByteCount = 100 << 10

    /// The account of the memory of listings and their entries.
    let account = BlockAccount()
    /// The pages that are being prefetched.
    let pages = PagesInFlight()
    /// The number of prefetched pages without a reader that memory allows: a quarter of the limit.
    let prefetchPageCountMax: Int
    /// The time until a listing expires.
    let timeToLive: TimeToLive
    private let store: any ObjectStore
    private let requestTimeout: Duration
    private let archive: (any ListingArchive)?
    /// The log of entries that open directories have returned, for the next process.
    let log: EntryLog?
    /// The trust in the order of the store's listings.
    let order: StoreOrder
    private let logger: Logger
    /// The number of listings that came from the archive.
    let archivedListingCount = Atomic<Int>(0)
    private let hasToldOfHidden = Atomic<Bool>(false)

    init(
        store: any ObjectStore, timeToLive: TimeToLive, requestTimeout: Duration, metadataByteLimit: Int,
        archive: (any ListingArchive)?, log: EntryLog? = nil, logger: Logger
    ) {
        self.log = log
        order = StoreOrder(isTrusted: store.listsInOrder && log?.log.value(of: .unorderedStore) == nil)
        prefetchPageCountMax = max(1, metadataByteLimit / 4 / ListingContext.pageByteCount)
        self.store = store
        self.timeToLive = timeToLive
        self.requestTimeout = requestTimeout
        self.archive = archive
        self.logger = logger
    }

    /// `true` if listings outlive the process.
    var hasArchive: Bool { archive != nil }

    /// Requests a page, within the timeout of a request.
    ///
    /// S3 may return an empty page that has a successor. Such pages are skipped, so that an empty page always means
    /// that there is nothing. `ListPage.needsSuccessor` describes another kind of page that is completed here.
    func list(_ request: ListRequest, completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void) {
        list(request, deadline: .now + requestTimeout, after: nil, completion: completion)
    }

    /// Requests a page, and its successors as long as the page is empty or needs one.
    ///
    /// - Parameter beginning: The first request, and the pages so far, joined.
    private func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        after beginning: (request: ListRequest, page: ListPage)?,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) {
        logger.debug(
            "list", metadata: ["prefix": "\(request.prefix)", "continued": "\(request.continuation != nil)"])
        store.list(request, deadline: deadline) { [self] result in
            guard case .success(let last) = result else { return completion(result) }
            if let next = last.next, next == request.continuation {
                return completion(
                    .failure(
                        StoreError(
                            .malformedResponse,
                            "the listing of \"\(request.prefix)\" repeats a page")))
            }
            let first = beginning?.request ?? request
            let page = beginning?.page.joined(with: last) ?? last
            guard let next = page.next,
                page.items.isEmpty || (order.isTrusted && page.needsSuccessor(of: first))
            else { return completion(.success(page)) }
            var request = request
            // The token says where to continue, and stores disagree on the meaning of both together.
            request.startAfter = nil
            request.continuation = next
            list(request, deadline: deadline, after: (first, page), completion: completion)
        }
    }

    /// Requests the description of one object.
    func head(_ key: Key, completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void) {
        logger.debug("head", metadata: ["key": "\(key)"])
        store.head(key, deadline: .now + requestTimeout, completion: completion)
    }

    /// Returns the coverage of a page; `nil` if the store doesn't list in order, as this very page may show. Then a
    /// page proves nothing by itself.
    ///
    /// - Parameter lower: The first key of the page, if the request continues by a token.
    func coverage(
        of page: ListPage, answering request: ListRequest, from lower: Key? = nil
    ) throws(StoreError) -> PageCoverage? {
        guard order.isTrusted else { return nil }
        do throws(PageFlaw) {
            return try PageCoverage(page, of: request, from: lower)
        } catch {
            guard case .outOfOrder(let key) = error else { throw error.asMalformedResponse(request.prefix) }
            order.disprove(by: key, in: request.prefix)
            return nil
        }
    }

    /// Logs that the listing of `prefix` isn't in order at `key`.
    func logDisorder(at key: Key, in prefix: Key) {
        logger.warning(
            """
            the store doesn't list keys in the order of their bytes; from now on each folder is listed to its end before it is \
            shown (--unordered-listings expects that from the beginning)
            """, metadata: ["prefix": "\(prefix)", "key": "\(key)"])
    }

    /// Logs keys of the directory of `prefix` that no path reaches: the first ones of the mount as a notice.
    func logHidden(_ hidden: HiddenKeys, in prefix: Key) {
        guard let first = hidden.first else { return }
        let isFirst = !hasToldOfHidden.exchange(true, ordering: .relaxed)
        logger.log(
            level: isFirst ? .notice : .debug,
            "keys that no path can name are hidden; see docs/SEMANTICS.md",
            metadata: ["prefix": "\(prefix)", "count": "\(hidden.count)", "first": "\(first)"])
    }

    // MARK: The archive

    /// Returns the complete listing of a directory from the archive; `nil` if there is none or it has expired.
    func archivedListing(_ prefix: Key) -> DirectoryListing? {
        guard let archive, let archived = archive.listing(prefix), archived.prefix == prefix,
            let age = Timestamp.now.age(of: archived.listedAt)
        else { return nil }
        let knownSince = ContinuousClock.now - age
        if timeToLive.expiry(from: knownSince).isOver(at: .now) { return nil }
        guard let entries = KnownEntries(archived, account: account) else { return nil }
        archivedListingCount.add(1, ordering: .relaxed)
        return DirectoryListing(prefix: prefix, context: self, knownSince: knownSince, entries: entries)
    }

    /// Keeps a complete listing in the archive, if there is one.
    func archive(_ listing: DirectoryListing) {
        guard let archive, let archived = ArchivedListing(listing) else { return }
        archive.keep(archived)
    }

    /// Removes the listing of the directory of `prefix`, or of its whole tree, from the archive.
    func invalidateArchived(_ prefix: Key, _ extent: Namespace.Extent) {
        switch extent {
        case .directory: archive?.forget(KeyInterval(lower: prefix, upper: prefix.next))
        case .tree: archive?.forget(KeyInterval(prefix: prefix))
        }
    }
}
