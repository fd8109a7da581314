import ObjectStore

/// Ways of a server to list wrongly, in XML that is well formed: each spoils one page, where it can.
///
/// There are two lies that no client can see: leaving keys out of a page that is otherwise right, which is therefore no
/// case, and `deniesMore`.
public enum ListingFault: Hashable, Sendable, CaseIterable {
    /// An item stands twice in the page.
    case repeatsItem
    /// The page begins with the item that it should begin behind: the one before it, or that of `start-after`.
    case repeatsStart
    /// The items come in the wrong order.
    case reorders
    /// In place of a page that goes on, the first page again.
    case goesBack
    /// Nothing is in the page, and it goes on where it began. Odd, but allowed.
    case isEmpty
    /// The page goes on where it began, although it has items.
    case repeatsToken
    /// The last item doesn't begin with the prefix that was asked for.
    case leavesPrefix
    /// The page is cut off, but doesn't tell how to go on.
    case losesToken
    /// The page tells how to go on, but says that it is the last, as the last pages of some stores do. It is believed.
    case deniesMore
    /// The last page says that there is another, which has no items. Odd, but allowed.
    case promisesMore

    func apply(to response: inout S3Response, request: S3Request, server: S3TestServer) {
        guard response.status == 200, let listing = request.listing, let page = server.page(of: listing) else { return }
        var written = WrittenPage(page)
        spoil(&written, listing, server)
        response = S3Response(listing, written, request: request, server: server)
    }

    private func spoil(_ page: inout WrittenPage, _ listing: ListRequest, _ server: S3TestServer) {
        switch self {
        case .repeatsItem:
            if let item = page.items.randomElement() { page.items.append(item) }
            page.items.sort { $0.key < $1.key }
        case .repeatsStart:
            if let start = listing.start, let item = server.item(at: start, in: listing) {
                page.items.insert(item, at: 0)
            }
        case .reorders: page.items.reverse()
        case .goesBack:
            var first = listing
            (first.startAfter, first.continuation) = (nil, nil)
            if let again = server.page(of: first) { page = WrittenPage(again) }
        case .isEmpty: page = WrittenPage(items: [], isTruncated: true, token: listing.tokenOfStart)
        case .repeatsToken where page.isTruncated: page.token = listing.continuation ?? listing.tokenOfStart
        case .leavesPrefix where !listing.prefix.bytes.isEmpty: page.items.append(.object(outside(listing.prefix)))
        case .losesToken: page.token = nil
        case .deniesMore: page.isTruncated = false
        case .promisesMore where !page.isTruncated:
            page.isTruncated = true
            page.token = page.items.last.map { ContinuationToken(resumingAfter: $0.key) } ?? listing.tokenOfStart
        case .repeatsToken, .leavesPrefix, .promisesMore: break
        }
    }

    /// An object whose key comes behind all that begin with `prefix`.
    private func outside(_ prefix: Key) -> ListedObject {
        let key = Key(prefix.bytes.dropLast() + [Key.delimiter + 1])
        return ListedObject(
            version: ObjectVersion(key: key, etag: ETag("\"outside\""), byteCount: 1),
            lastModified: StoreContents.defaultLastModified, storageClass: "STANDARD")
    }
}

/// A page as it is written down: what a `ListPage` can't be, too.
struct WrittenPage {
    var items: [ListPage.Item]
    var isTruncated: Bool
    var token: ContinuationToken?

    init(items: [ListPage.Item], isTruncated: Bool, token: ContinuationToken?) {
        self.items = items
        self.isTruncated = isTruncated
        self.token = token
    }

    /// The page as it should be written.
    init(_ page: ListPage) {
        self.init(items: page.items, isTruncated: page.next != nil, token: page.next)
    }
}

extension ListRequest {
    /// The key that the page begins behind; `nil` for the first page of a listing from its beginning.
    fileprivate var start: Key? { continuation?.resumeKey ?? startAfter }

    /// A token that goes on where this page begins, and isn't the one that this page was asked for with.
    fileprivate var tokenOfStart: ContinuationToken {
        guard let continuation else { return ContinuationToken(resumingAfter: startAfter ?? .empty) }
        return continuation.respelled
    }
}

extension S3TestServer {
    /// The item of this key, object or common prefix, as a listing of this kind has it.
    fileprivate func item(at key: Key, in listing: ListRequest) -> ListPage.Item? {
        if let object = contents[key] { return .object(object.listed) }
        return listing.isDelimited && key.endsInDelimiter ? .commonPrefix(key) : nil
    }
}
