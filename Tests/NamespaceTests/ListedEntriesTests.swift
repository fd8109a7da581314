import ObjectStore
import Testing
import TestSupport

@testable import Namespace

@Suite("Listed entries") struct ListedEntriesTests {
    @Test("pages of any size prove what a plain set of keys says, and never more", arguments: 0..<200)
    func pagesProveTheModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let model = TreeModel(keys: keys)
        let store = contents(of: keys)
        let prefix: Key = ["", "a/", "a-/", "./"].randomElement(using: &random) ?? ""
        let expected = model.entries(of: prefix)
        let asked = Set(expected.keys).union(oddKeys(count: 20, using: &random).map(\.bytes))

        var listed = ListedEntries(prefix: prefix, account: BlockAccount())
        var request = ListRequest(prefix: prefix, isDelimited: true)
        repeat {
            request.limit = Int.random(in: 1...7, using: &random)
            let page = try #require(store.page(request))
            try listed.append(page)
            request.continuation = page.next
            for bytes in asked {
                guard let name = try? Name(bytes) else { continue }
                switch listed.answer(for: name) {
                case .present(let entry): #expect(kind(entry) == expected[bytes], "\(Key(bytes)), seed \(seed)")
                case .absent: #expect(expected[bytes] == nil, "\(Key(bytes)), seed \(seed)")
                case .unknown: #expect(!listed.isComplete, "\(Key(bytes)), seed \(seed)")
                }
            }
        } while request.continuation != nil

        let entries = all(listed)
        #expect(entries.count == expected.count, "seed \(seed)")
        for entry in entries { #expect(kind(entry) == expected[entry.name.bytes], "seed \(seed)") }
        #expect(entries.map { EntryPosition($0) } == entries.map { EntryPosition($0) }.sorted(), "seed \(seed)")
    }

    @Test func `a page that goes back in the order of keys is refused and changes nothing`() throws {
        var listed = ListedEntries(prefix: "", account: BlockAccount())
        try listed.append(page(["b", "c"], next: "t"))
        #expect(throws: StoreError.self) { try listed.append(page(["c", "d"])) }
        #expect(throws: StoreError.self) { try listed.append(page(["e", "d"])) }
        #expect(throws: StoreError.self) { try listed.append(page(["x/elsewhere", "d"])) }
        #expect(!listed.isComplete)
        try listed.append(page(["d"]))
        #expect(all(listed).map(\.name.bytes) == [[98], [99], [100]])
    }

    @Test func `a file is held back until its directory can't come any more`() throws {
        var listed = ListedEntries(prefix: "", account: BlockAccount())
        try listed.append(page(["a", "a-1"], next: "1"))
        #expect(listed.settledCount == 0)
        try listed.append(page(["a-2", "a.txt"], next: "2"))
        #expect(listed.settledCount == 0)
        try listed.append(page(["a/"], next: "3"))
        #expect(all(listed).map { Key($0.name.bytes) } == ["a-1", "a-2", "a.txt", "a"])
        #expect(all(listed).last?.isDirectory == true)
        #expect(listed.hiddenCount == 1)
        #expect(listed.firstHidden == "a")
    }

    private func all(_ listed: ListedEntries) -> [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        while let slice = listed.entries(from: entries.count) { entries += (0..<slice.count).map { slice[$0].entry } }
        return entries
    }

    private func kind(_ entry: DirectoryEntry) -> TreeModel.Kind {
        switch entry.kind {
        case .directory: .directory
        case .file(let object): .file(object.version.key)
        }
    }

    private func page(_ keys: [Key], next: String? = nil) -> ListPage {
        let items = keys.map { key -> ListPage.Item in
            if key.endsInDelimiter { return .commonPrefix(key) }
            let version = ObjectVersion(key: key, etag: ETag("\"\""), byteCount: 0)
            return .object(ListedObject(version: version, lastModified: Timestamp(seconds: 0)))
        }
        return ListPage(items: items, next: next.map { ContinuationToken($0) })
    }
}

/// Objects of these keys.
func contents(of keys: [Key]) -> StoreContents {
    var contents = StoreContents()
    for key in keys { contents.put(key, .text("x")) }
    return contents
}
