import ObjectStore

/// A listing that is requested before a program needs it.
struct PrefetchRequest: Equatable {
    /// The identity of the request, for its result.
    enum Name: Hashable, Sendable {
        /// A flat page for a deep walk.
        case page(Int)
        /// The listing of one directory for a glob walk.
        case directory(Int)
    }

    let name: Name
    let request: ListRequest
    /// The keys that it is expected to cover.
    let expected: KeyInterval
}

extension PrefetchRequest {
    /// The request for a flat page below `root`.
    ///
    /// - Parameter end: The key that it is expected to reach; `nil` if there is no prediction.
    init(_ page: Int, from start: Key, below root: Key, upTo end: Key?) {
        name = .page(page)
        request = ListRequest(prefix: root, isDelimited: false, startAfter: start == root ? nil : start.startAfter)
        // Without a prediction, only readers of nearby directories should wait for the page.
        let nearEnd = start.folderPrefix.parentPrefix?.endOfPrefix
        expected = KeyInterval(lower: start, upper: KeyInterval.earlierEnd(end ?? nearEnd, root.endOfPrefix))
    }

    /// The request for a page of one directory's listing that is expected to cover keys from `lower` on.
    init(_ number: Int, listing directory: Key, startAfter: Key? = nil, expectedFrom lower: Key? = nil) {
        name = .directory(number)
        request = ListRequest(prefix: directory, isDelimited: true, startAfter: startAfter)
        expected = KeyInterval(lower: lower ?? startAfter ?? directory, upper: directory.endOfPrefix)
    }
}

extension PrefetchRequest {
    /// Sends the request, and adds the page to `cache`.
    ///
    /// - Parameter completion: Called before the calls that wait for the page are completed, so that the requests that
    ///   it sends are in flight first.
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
                        throw StoreError(.cancelled, "the store doesn't list in order")
                    }
                    cache.absorb(page, requestedAt: requestedAt)
                    return page
                })
            cache.pagesInFlight.end(token, answer)
        }
    }
}
