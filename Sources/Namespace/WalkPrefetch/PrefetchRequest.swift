import ObjectStore

/// A listing that is asked for before anybody needs it.
struct PrefetchRequest: Equatable {
    /// What its end is told by.
    enum Name: Hashable, Sendable {
        /// A flat page ahead of a walk through everything.
        case page(Int)
        /// The listing of one directory ahead of a walk through directories of one relative path.
        case directory(Int)
    }

    let name: Name
    let request: ListRequest
    /// The keys that it is expected to tell of.
    let expected: KeyInterval
}

extension PrefetchRequest {
    /// The request for a flat page of what is below `root`.
    ///
    /// - Parameter end: The key that it is expected to reach; `nil` where there is no telling.
    init(_ page: Int, from start: Key, below root: Key, upTo end: Key?) {
        name = .page(page)
        request = ListRequest(prefix: root, isDelimited: false, startAfter: start == root ? nil : start.startAfter)
        // Nobody should wait for it in vain who is far away.
        let nearEnd = start.folderPrefix.parentPrefix?.endOfPrefix
        expected = KeyInterval(lower: start, upper: KeyInterval.earlierEnd(end ?? nearEnd, root.endOfPrefix))
    }

    /// The request for a page of the listing of one directory, expected to tell of keys from `lower` on.
    init(_ number: Int, listing directory: Key, startAfter: Key? = nil, expectedFrom lower: Key? = nil) {
        name = .directory(number)
        request = ListRequest(prefix: directory, isDelimited: true, startAfter: startAfter)
        expected = KeyInterval(lower: lower ?? startAfter ?? directory, upper: directory.endOfPrefix)
    }
}

extension PrefetchRequest {
    /// Asks for the page, and has `tree` absorb it.
    ///
    /// - Parameter completion: Called before those who wait for the page look again, so that what it asks for next is under
    ///   way by then.
    func send(
        to context: ListingContext, for cache: DirectoryCache,
        completion: @escaping @Sendable (Result<PageCoverage, StoreError>) -> Void
    ) {
        let token = cache.pagesInFlight.begin(expecting: expected)
        let requestedAt = ContinuousClock.now
        context.list(request) { [request] answer in
            completion(
                Result { () throws(StoreError) -> PageCoverage in
                    guard let page = try context.coverage(of: answer.get(), answering: request) else {
                        throw StoreError(.cancelled, "the store lists in no order")
                    }
                    cache.absorb(page, requestedAt: requestedAt)
                    return page
                })
            cache.pagesInFlight.end(token, answer)
        }
    }
}
