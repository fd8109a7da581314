import ObjectStore

/// A page of a listing with the range of keys that it covers: its keys and common prefixes exist, and nothing else
/// exists in the range.
struct PageCoverage: Sendable {
    /// The prefix of the request.
    let prefix: Key
    /// `true` if keys with another "/" behind the prefix were rolled up into common prefixes.
    let isDelimited: Bool
    /// The objects and common prefixes on the page, in the order of keys.
    let items: [ListPage.Item]
    /// The covered range: from the page's beginning to behind its last item, or to the end of the prefix if it is the
    /// last page.
    let interval: KeyInterval
    /// The continuation; `nil` on the last page.
    let next: ContinuationToken?

    /// Returns the coverage of a response.
    ///
    /// - Parameter lower: The beginning of the page: `interval.upper` of the page before, if the request continues by
    ///   its token. By default the request says it.
    /// - Throws: The flaw of a page that goes back in the order of keys, leaves the prefix, or begins before `lower`.
    ///   Such a page proves nothing.
    init(_ page: ListPage, of request: ListRequest, from lower: Key? = nil) throws(PageFlaw) {
        let lower = lower ?? PageCoverage.beginning(of: request)
        var last: Key?
        var outOfOrder: Key?
        for index in page.items.indices {
            let key = page.items[index].key
            guard key.hasPrefix(request.prefix) else { throw .outsidePrefix(key) }
            if outOfOrder == nil, !(last.map { $0 < key } ?? (lower <= key)) { outOfOrder = key }
            last = key
        }
        // A page that the client found out of order has such a key. If the check above missed it, the page counts as
        // disordered all the same.
        if let disordered = outOfOrder ?? (page.isOrdered ? nil : last) { throw .outOfOrder(disordered) }
        prefix = request.prefix
        isDelimited = request.isDelimited
        items = page.items
        next = page.next
        interval = KeyInterval(
            lower: lower,
            upper: page.next == nil ? request.prefix.endOfPrefix : PageCoverage.end(of: page.items.last) ?? lower)
    }

    /// Returns the first key that the response to a request without a token covers.
    static func beginning(of request: ListRequest) -> Key {
        guard let startAfter = request.startAfter, startAfter >= request.prefix else { return request.prefix }
        // S3 leaves out a common prefix that isn't greater than `startAfter`, although keys below it may be (S3 API
        // Reference, ListObjectsV2, StartAfter): coverage begins behind it.
        let relative = startAfter.bytes.dropFirst(request.prefix.bytes.count)
        if request.isDelimited, startAfter.hasPrefix(request.prefix),
            let end = relative.firstIndex(of: Key.delimiter),
            let behind = Key(startAfter.bytes[...end]).endOfPrefix
        {
            return behind
        }
        return startAfter.next
    }

    /// Returns the first key behind an item.
    private static func end(of item: ListPage.Item?) -> Key? {
        switch item {
        case .object(let object): object.version.key.next
        case .commonPrefix(let prefix): prefix.endOfPrefix
        case nil: nil
        }
    }
}

/// The reason why a page proves nothing.
enum PageFlaw: Error, Hashable {
    /// This key doesn't begin with the prefix of the request.
    case outsidePrefix(Key)
    /// This key isn't in the order of keys.
    case outOfOrder(Key)

    /// Returns the error for callers that requested the listing of `prefix`.
    func asMalformedResponse(_ prefix: Key) -> StoreError {
        switch self {
        case .outsidePrefix(let key):
            StoreError(
                .malformedResponse,
                "the listing of \"\(prefix)\" has the key \"\(key)\", which is outside of the prefix")
        case .outOfOrder(let key):
            StoreError(.malformedResponse, "the listing of \"\(prefix)\" is out of order at \"\(key)\"")
        }
    }
}
