public import ObjectStore
import SystemSupport

/// The order in which a store lists keys and common prefixes. Only the first one is S3's.
public enum ListingOrder: Hashable, Sendable {
    /// That of the bytes of keys, common prefixes among them.
    case keys
    /// All common prefixes, and on further pages all objects.
    case prefixesFirst
    /// All objects, and on further pages all common prefixes.
    case objectsFirst
    /// Common prefixes as if they didn't end in "/": "a/" comes before "a-".
    case foldersAsNames
    /// From the last key to the first.
    case reversed
    /// A random order, another one for each prefix; the same for each page of a listing.
    case shuffled(seed: UInt64)
    /// By the time of the last modification, common prefixes first.
    case lastModified

    /// Orders that aren't S3's.
    public static func others(seed: UInt64) -> [ListingOrder] {
        [.prefixesFirst, .objectsFirst, .foldersAsNames, .reversed, .shuffled(seed: seed), .lastModified]
    }

    fileprivate func sorted(_ items: [ListPage.Item], of request: ListRequest) -> [ListPage.Item] {
        switch self {
        case .keys: return items
        case .prefixesFirst: return items.filter(\.isPrefix) + items.filter { !$0.isPrefix }
        case .objectsFirst: return items.filter { !$0.isPrefix } + items.filter(\.isPrefix)
        case .foldersAsNames: return items.sorted { $0.key.asName < $1.key.asName }
        case .reversed: return items.reversed()
        case .shuffled(let seed):
            let salt = request.prefix.bytes.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }
            var random = SeededGenerator(seed: seed &+ salt)
            return items.shuffled(using: &random)
        case .lastModified: return items.sorted { ($0.time, $0.key) < ($1.time, $1.key) }
        }
    }

    /// The end of the page of `items` that begins at `start`.
    fileprivate func endOfPage(_ items: [ListPage.Item], from start: Int, limit: Int) -> Int {
        let end = min(start + limit, items.count)
        guard self == .prefixesFirst || self == .objectsFirst, start < end else { return end }
        return items[start..<end].firstIndex { $0.isPrefix != items[start].isPrefix } ?? end
    }
}

extension StoreContents {
    /// One page of a listing in some order. Where that isn't S3's, `startAfter` counts only where the order allows for
    /// it.
    ///
    /// - Returns: The page, as a client reads it; `nil` where the continuation token is none of ours.
    public func page(_ request: ListRequest, in order: ListingOrder, pageLimit: Int = pageLimitMax) -> ListPage? {
        if order == .keys { return page(request, pageLimit: pageLimit) }
        let whole = ListRequest(prefix: request.prefix, isDelimited: request.isDelimited, limit: .max)
        guard let all = page(whole, pageLimit: .max)?.items else { return nil }
        let items = order.sorted(all, of: request)
        var start = 0
        if let continuation = request.continuation {
            guard let index = Int(continuation.text.dropFirst("at-".count)), index <= items.count else { return nil }
            start = index
        } else if let after = request.startAfter, order == .foldersAsNames {
            start = items.firstIndex { $0.key.asName > after.asName } ?? items.count
        }
        let end = order.endOfPage(items, from: start, limit: min(request.limit, pageLimit))
        let next = end < items.count ? ContinuationToken("at-\(end)") : nil
        return ListPage(asSent: Array(items[start..<end]), next: next)
    }
}

extension ListPage {
    /// The page that a client makes of what a store sends: objects and common prefixes are merged where both are in
    /// order.
    fileprivate init(asSent items: [Item], next: ContinuationToken?) {
        let (objects, prefixes) = (items.filter { !$0.isPrefix }, items.filter(\.isPrefix))
        let isOrdered = [objects, prefixes].allSatisfy { kind in
            zip(kind, kind.dropFirst()).allSatisfy { $0.key < $1.key }
        }
        self.init(
            items: isOrdered ? items.sorted { $0.key < $1.key } : objects + prefixes, next: next, isOrdered: isOrdered)
    }
}

extension ListPage.Item {
    fileprivate var isPrefix: Bool { if case .commonPrefix = self { true } else { false } }

    fileprivate var time: Timestamp {
        if case .object(let object) = self { object.lastModified } else { Timestamp(seconds: 0) }
    }
}

extension Key {
    /// The key without a "/" at its end.
    fileprivate var asName: Key { endsInDelimiter ? Key(bytes.dropLast()) : self }
}
