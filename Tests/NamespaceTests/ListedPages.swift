import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import Namespace

/// Objects of these keys, with ETags of their own whatever else there is.
func contents(of keys: [Key]) -> StoreContents {
    var contents = StoreContents()
    for key in keys { contents.put(key, .text("x"), etag: ETag("\"\(key)\"")) }
    return contents
}

/// A page with these keys; those that end in "/" are common prefixes.
func page(_ keys: [Key], next: String? = nil) -> ListPage {
    let items = keys.map { key -> ListPage.Item in
        if key.endsInDelimiter { return .commonPrefix(key) }
        let version = ObjectVersion(key: key, etag: ETag("\"\""), byteCount: 0)
        return .object(ListedObject(version: version, lastModified: Timestamp(seconds: 0)))
    }
    return ListPage(items: items, next: next.map { ContinuationToken($0) })
}

/// All pages of a listing, each of a random size.
func pages(
    of contents: StoreContents, _ request: ListRequest, limits: ClosedRange<Int>, using random: inout SeededGenerator
) throws -> [ProvenPage] {
    var pages: [ProvenPage] = []
    var request = request
    var lower: Key?
    repeat {
        request.limit = Int.random(in: limits, using: &random)
        let page = try ProvenPage(try #require(contents.page(request)), of: request, from: lower)
        pages.append(page)
        request.continuation = page.next
        lower = page.interval.upper
    } while request.continuation != nil
    return pages
}

/// Pages of several listings below `root`: flat and delimited, of directories and of beginnings of names, from their
/// beginning or from anywhere, to their end or not.
func randomPages(
    of contents: StoreContents, below root: Key, using random: inout SeededGenerator
) throws -> [ProvenPage] {
    var found: [ProvenPage] = []
    for _ in 0..<Int.random(in: 1...6, using: &random) {
        let place = (contents.keys + oddKeys(count: 5, using: &random)).randomElement(using: &random) ?? ""
        let prefix = place.hasPrefix(root) ? place : root.appending(place.bytes)
        let length = Int.random(in: root.bytes.count...prefix.bytes.count, using: &random)
        let cut = Key(prefix.bytes.prefix(length))
        var request = ListRequest(
            prefix: Bool.random(using: &random)
                ? cut : cut.folderPrefix.hasPrefix(root) ? cut.folderPrefix : root,
            isDelimited: Bool.random(using: &random))
        if Bool.random(using: &random) {
            let other = (contents.keys + oddKeys(count: 3, using: &random)).randomElement(using: &random) ?? ""
            request.startAfter = Bool.random(using: &random) ? other : request.prefix.appending(other.bytes)
        }
        let pages = try pages(of: contents, request, limits: 1...7, using: &random)
        found += pages.prefix(Int.random(in: 1...pages.count, using: &random))
    }
    return found
}
