import ObjectStore

/// A page of a listing together with what it proves: that the keys (and common prefixes) on it are there, and that there
/// is nothing else in its interval.
struct ProvenPage: Sendable {
    /// What all keys on the page begin with, as it was asked for.
    let prefix: Key
    /// Whether keys with another "/" behind the prefix were rolled up into common prefixes.
    let isDelimited: Bool
    /// What is on the page, in the order of keys.
    let items: [ListPage.Item]
    /// The keys that the page tells of: from where it began to behind its last item, or to the end of the prefix where it
    /// is the last one.
    let interval: KeyInterval
    /// How the listing goes on; `nil` where this page is the last.
    let next: ContinuationToken?

    /// What the answer to a request proves.
    ///
    /// - Parameter lower: Where the page begins: `interval.upper` of the page before, where the request continues by its
    ///   token. By default where the request says.
    /// - Throws: `malformedResponse` where the page goes back in the order of keys, leaves the prefix, or begins before
    ///   `lower`: such a listing proves nothing.
    init(_ page: ListPage, of request: ListRequest, from lower: Key? = nil) throws(StoreError) {
        let lower = lower ?? ProvenPage.beginning(of: request)
        var last: Key?
        for item in page.items {
            let key = item.key
            guard key.hasPrefix(request.prefix), last.map({ $0 < key }) ?? (lower <= key) else {
                throw StoreError(
                    .malformedResponse, "the listing of \"\(request.prefix)\" is out of order at \"\(key)\"")
            }
            last = key
        }
        prefix = request.prefix
        isDelimited = request.isDelimited
        items = page.items
        next = page.next
        interval = KeyInterval(
            lower: lower,
            upper: page.next == nil ? request.prefix.endOfPrefix : ProvenPage.end(of: page.items.last) ?? lower)
    }

    /// The first key that the answer to a request that begins by itself (without a token) tells of.
    static func beginning(of request: ListRequest) -> Key {
        guard let startAfter = request.startAfter, startAfter >= request.prefix else { return request.prefix }
        // A common prefix that isn't greater than `startAfter` is left out, although keys below it may be (S3 API
        // Reference, ListObjectsV2, StartAfter): nothing is proven before its end.
        let relative = startAfter.bytes.dropFirst(request.prefix.bytes.count)
        if request.isDelimited, startAfter.hasPrefix(request.prefix),
            let end = relative.firstIndex(of: Key.delimiter),
            let behind = Key(startAfter.bytes[...end]).endOfPrefix
        {
            return behind
        }
        return startAfter.next
    }

    /// The first key that `item` says nothing of.
    private static func end(of item: ListPage.Item?) -> Key? {
        switch item {
        case .object(let object): object.version.key.next
        case .commonPrefix(let prefix): prefix.endOfPrefix
        case nil: nil
        }
    }
}
