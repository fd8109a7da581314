import ObjectStore
import TestSupport
import Testing

@Suite struct StoreContentsTests {
    private func contents(_ keys: Key...) -> StoreContents {
        var contents = StoreContents()
        for key in keys { contents.put(key, .text("x")) }
        return contents
    }

    /// The keys of a page; where there are more, with "..." behind them.
    private func page(_ contents: StoreContents, _ request: ListRequest, pageLimit: Int = 1_000) -> [String] {
        let page = contents.page(request, pageLimit: pageLimit)
        return (page?.items.map(\.key.description) ?? ["refused"]) + (page?.next == nil ? [] : ["..."])
    }

    @Test func `Keys come in the order of their bytes, and a folder at the position of its slash`() {
        let contents = contents("a/x", "a.b/x", "a0", "é", "Z", "a+b")
        #expect(
            page(contents, ListRequest(prefix: "", isDelimited: true)) == ["Z", "a+b", "a.b/", "a/", "a0", "é"])
    }

    @Test func `A common prefix that is not greater than start-after is omitted`() {
        let contents = contents("a/x", "a/y", "b")
        func after(_ key: Key) -> [String] {
            page(contents, ListRequest(prefix: "", isDelimited: true, startAfter: key))
        }
        #expect(after("a") == ["a/", "b"])
        #expect(after("a/") == ["b"])
        #expect(after("a/x") == ["b"])
    }

    @Test func `A directory marker is an object of its folder's listing`() {
        let contents = contents("a/", "a/x", "a/b/y")
        #expect(page(contents, ListRequest(prefix: "a/", isDelimited: true)) == ["a/", "a/b/", "a/x"])
        #expect(page(contents, ListRequest(prefix: "", isDelimited: true)) == ["a/"])
    }

    @Test func `Objects that are put at once are listed like those put one by one`() throws {
        var contents = contents("b", "d")
        contents.put(["a": .text("xx"), "d": .text("xx"), "c/e": .text("xx")])
        #expect(page(contents, ListRequest(prefix: "", isDelimited: true)) == ["a", "b", "c/", "d"])
        #expect(contents.keys.map { contents[$0]?.version.byteCount } == [2, 1, 2, 2])
        #expect(Set(contents.keys.compactMap { contents[$0]?.version.etag.text }).count == 4)
    }

    @Test(arguments: 1...7, [true, false])
    func `Pages of any size make up the whole listing`(pageLimit: Int, isDelimited: Bool) throws {
        let contents = contents("a", "a/", "a/b", "a/c/d", "b/c", "c", "d/e/f")
        let whole = try #require(contents.page(ListRequest(prefix: "", isDelimited: isDelimited))).items
        var items: [ListPage.Item] = []
        var request = ListRequest(prefix: "", isDelimited: isDelimited, limit: pageLimit)
        repeat {
            let page = try #require(contents.page(request))
            #expect(page.items.count <= pageLimit)
            items += page.items
            request.continuation = page.next
        } while request.continuation != nil && items.count < 100
        #expect(items == whole)
    }

    @Test func `A full last page has no continuation token`() {
        #expect(page(contents("a", "b"), ListRequest(prefix: "", isDelimited: true), pageLimit: 2) == ["a", "b"])
        #expect(page(contents("a", "b"), ListRequest(prefix: "", isDelimited: true), pageLimit: 1) == ["a", "..."])
    }

    @Test func `A foreign continuation token is refused`() {
        let request = ListRequest(prefix: "", isDelimited: true, continuation: ContinuationToken("nonsense"))
        #expect(contents("a").page(request) == nil)
    }
}
