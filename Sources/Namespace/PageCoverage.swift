import ObjectStore

/// A page of a listing together with what it proves: that the keys (and common prefixes) on it are there, and that there
/// is nothing else in its interval.
struct PageCoverage: Sendable {
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
    /// - Throws: The flaw of a page that goes back in the order of keys, leaves the prefix, or begins before `lower`: such a
    ///   page proves nothing.
    init(_ page: ListPage, of request: ListRequest, from lower: Key? = nil) throws(PageFlaw) {
        let lower = lower ?? PageCoverage.beginning(of: request)
        for item in page.items where !item.key.hasPrefix(request.prefix) { throw .outsidePrefix(item.key) }
        var last: Key?
        for item in page.items {
            guard last.map({ $0 < item.key }) ?? (lower <= item.key) else { throw .outOfOrder(item.key) }
            last = item.key
        }
        // A page that the client found out of order has a key that is; to be sure, it is never believed.
        if !page.isOrdered, let last { throw .outOfOrder(last) }
        prefix = request.prefix
        isDelimited = request.isDelimited
        items = page.items
        next = page.next
        interval = KeyInterval(
            lower: lower,
            upper: page.next == nil ? request.prefix.endOfPrefix : PageCoverage.end(of: page.items.last) ?? lower)
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

/// The reason why a page proves nothing.
enum PageFlaw: Error, Hashable {
    /// This key doesn't begin with what was asked for.
    case outsidePrefix(Key)
    /// This key stands where a listing in the order of keys can't have it.
    case outOfOrder(Key)

    /// The error of those who asked for the listing of `prefix`.
    func asMalformedResponse(_ prefix: Key) -> StoreError {
        switch self {
        case .outsidePrefix(let key):
            StoreError(.malformedResponse, "the listing of \"\(prefix)\" has the key \"\(key)\", which is elsewhere")
        case .outOfOrder(let key):
            StoreError(.malformedResponse, "the listing of \"\(prefix)\" is out of order at \"\(key)\"")
        }
    }
}
