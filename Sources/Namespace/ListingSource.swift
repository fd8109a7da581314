import Logging
import ObjectStore
import StateLog
import Synchronization
import SystemSupport

/// What the listings of one namespace have in common: where pages come from, where their memory is counted, and who hears
/// what they brought.
final class ListingSource: Sendable {
    /// What a page of entries takes in memory, about: a thousand of 40 bytes, and their names.
    private static let pageByteCount = 100 << 10

    /// Counts the memory of listings and their entries.
    let account = BlockAccount()
    /// The pages that are asked for ahead of anybody's need.
    let pages = PagesUnderWay()
    /// How many pages that nobody has come to there is memory for: a quarter of the limit.
    let aheadPageCountMax: Int
    /// How long what the store says counts as true.
    let timeToLive: TimeToLive
    private let store: any ObjectStore
    private let requestTimeout: Duration
    private let archive: (any ListingArchive)?
    /// Where it is written what open directories have given, for the next process.
    let log: EntryLog?
    /// `true` if the store lists in the order of keys.
    let order: StoreOrder
    private let logger: Logger
    /// How many listings were taken from the archive.
    let archivedListingCount = Atomic<Int>(0)
    private let hasToldOfHidden = Atomic<Bool>(false)

    init(
        store: any ObjectStore, timeToLive: TimeToLive, requestTimeout: Duration, metadataByteLimit: Int,
        archive: (any ListingArchive)?, log: EntryLog? = nil, logger: Logger
    ) {
        self.log = log
        order = StoreOrder(isTrusted: store.listsInOrder && log?.log.value(of: .unorderedStore) == nil)
        aheadPageCountMax = max(1, metadataByteLimit / 4 / ListingSource.pageByteCount)
        self.store = store
        self.timeToLive = timeToLive
        self.requestTimeout = requestTimeout
        self.archive = archive
        self.logger = logger
    }

    /// Whether listings outlive the process.
    var hasArchive: Bool { archive != nil }

    /// Asks the store for a page, within the time that a request may take.
    ///
    /// S3 may answer with a page that is empty and has a successor; such pages are passed over here, so that an empty page
    /// always means that there is nothing. `ListPage.needsSuccessor` tells of another kind of page that is completed here.
    func list(_ request: ListRequest, completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void) {
        list(request, deadline: .now + requestTimeout, after: nil, completion: completion)
    }

    /// - Parameter beginning: The request that was made, and the pages of it that have come, as one.
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
                            "the listing of \"\(request.prefix)\" comes back to a page that it has given")))
            }
            let first = beginning?.request ?? request
            let page = beginning?.page.joined(with: last) ?? last
            guard let next = page.next,
                page.items.isEmpty || (order.isTrusted && page.needsSuccessor(of: first))
            else { return completion(.success(page)) }
            var request = request
            // The token tells where to go on, and stores don't agree on what both together mean.
            request.startAfter = nil
            request.continuation = next
            list(request, deadline: deadline, after: (first, page), completion: completion)
        }
    }

    /// Asks for the description of one object.
    func head(_ key: Key, completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void) {
        logger.debug("head", metadata: ["key": "\(key)"])
        store.head(key, deadline: .now + requestTimeout, completion: completion)
    }

    /// The proof that a page is; `nil` where the store lists in no order, as this page may have shown: then it proves nothing
    /// by itself.
    ///
    /// - Parameter lower: The key that the page begins at, where the request continues by a token.
    func prove(
        _ page: ListPage, of request: ListRequest, from lower: Key? = nil
    ) throws(StoreError) -> ProvenPage? {
        guard order.isTrusted else { return nil }
        do throws(PageFlaw) {
            return try ProvenPage(page, of: request, from: lower)
        } catch {
            guard case .outOfOrder(let key) = error else { throw error.asMalformedResponse(request.prefix) }
            order.disprove(by: key, in: request.prefix)
            return nil
        }
    }

    /// Tells that the listing of `prefix` isn't in order at `key`.
    func tellOfDisorder(at key: Key, in prefix: Key) {
        logger.warning(
            """
            the store doesn't list keys in the order of their bytes; from now on each folder is listed to its end before it is \
            shown (--unordered-listings expects that from the beginning)
            """, metadata: ["prefix": "\(prefix)", "key": "\(key)"])
    }

    /// Hears of keys of the directory of `prefix` that no path reaches. The first ones ever are told of.
    func tell(of hidden: HiddenKeys, in prefix: Key) {
        guard let first = hidden.first else { return }
        let isFirst = !hasToldOfHidden.exchange(true, ordering: .relaxed)
        logger.log(
            level: isFirst ? .notice : .debug,
            "keys that no path can name are hidden; docs/SEMANTICS.md tells which",
            metadata: ["prefix": "\(prefix)", "count": "\(hidden.count)", "first": "\(first)"])
    }

    // MARK: The archive

    /// The complete listing of a directory that the archive has, if it has one that is still true.
    func archivedListing(_ prefix: Key) -> Listing? {
        guard let archive, let archived = archive.listing(prefix), archived.prefix == prefix,
            let age = Timestamp.now.age(of: archived.listedAt)
        else { return nil }
        let knownSince = ContinuousClock.now - age
        if timeToLive.expiry(from: knownSince).isOver(at: .now) { return nil }
        guard let entries = ProvenEntries(archived, account: account) else { return nil }
        archivedListingCount.add(1, ordering: .relaxed)
        return Listing(prefix: prefix, source: self, knownSince: knownSince, entries: entries)
    }

    /// A listing is complete now, and outlives the process where there is an archive.
    func archive(_ listing: Listing) {
        guard let archive, let archived = ArchivedListing(listing) else { return }
        archive.keep(archived)
    }

    /// What was kept of the directory of `prefix`, or of the tree below it too, isn't true any more.
    func forgetArchived(_ prefix: Key, _ extent: Namespace.Extent) {
        switch extent {
        case .directory: archive?.forget(KeyInterval(lower: prefix, upper: prefix.next))
        case .tree: archive?.forget(KeyInterval(prefix: prefix))
        }
    }
}
