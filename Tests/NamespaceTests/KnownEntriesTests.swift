import ObjectStore
import Testing
import TestSupport

@testable import Namespace

@Suite("Known entries") struct KnownEntriesTests {
    @Test(
        "entries known from pages of any kind, size and order agree with the keys",
        arguments: 0..<400)
    func pagesProveTheModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let model = TreeModel(keys: keys)
        let root: Key = ["", "", "a/", "a-/"].randomElement(using: &random) ?? ""
        let pages = try randomPages(of: contents(of: keys), below: root, using: &random).shuffled(using: &random)
        let asked = Set(keys + oddKeys(count: 20, using: &random)).map { $0.dropping(min(2, $0.bytes.count)) } + keys
        var known = KnownDirectories()
        for page in pages {
            for coverage in page.coverages(below: root, account: BlockAccount()) {
                let prefix = coverage.block.prefix
                let settled = known.entries(of: prefix)
                known.absorb(coverage)
                #expect(
                    known.entries(of: prefix).starts(with: settled), "settled entries moved, seed \(seed)")
            }
            for (prefix, entries) in known.directories { check(entries, of: prefix, asked, model, seed: seed) }
        }
    }

    /// Compares the known entries of a directory with the model.
    private func check(_ listing: KnownEntries, of prefix: Key, _ asked: [Key], _ model: TreeModel, seed: UInt64) {
        let expected = model.entries(of: prefix)
        let names = expected.keys + asked.map { Array($0.bytes.prefix { $0 != Key.delimiter }) }
        for name in names.compactMap({ try? Name($0) }) {
            let context: Comment = "\(Key(name.bytes)) in \(prefix), seed \(seed)"
            switch listing.answer(for: name) {
            case .present(let found): #expect(TreeModel.Kind(found.entry) == expected[name.bytes], context)
            case .absent: #expect(expected[name.bytes] == nil, context)
            case .unknown: #expect(!listing.isComplete, context)
            }
        }
        let entries = listing.allEntries
        let sortKeys = entries.map { EntrySortKey($0) }
        #expect(sortKeys == sortKeys.sorted(), "\(prefix), seed \(seed)")
        for (index, entry) in entries.enumerated() {
            #expect(TreeModel.Kind(entry) == expected[entry.name.bytes], "\(prefix), seed \(seed)")
            let sortKey = entry.name.bytes + (entry.isDirectory ? [Key.delimiter] : [])
            #expect(listing.index(of: sortKey) == index, "\(prefix), seed \(seed)")
        }
        // A complete directory lacks nothing.
        if listing.isComplete { #expect(entries.count == expected.count, "\(prefix), seed \(seed)") }
        let directories = expected.filter { $0.value == .directory }.map { Key($0.key + [Key.delimiter]) }.sorted()
        checkSubdirectories(listing, of: directories, isExact: listing.isComplete, "\(prefix), seed \(seed)")
    }

    private func checkSubdirectories(
        _ listing: KnownEntries, of expected: [Key], isExact: Bool, _ context: Comment
    ) {
        let known = listing.subdirectories(from: [], limit: .max).map { Key($0 + [Key.delimiter]) }
        #expect(known == known.sorted() && Set(known).isSubset(of: expected), context)
        if isExact { #expect(known == expected, context) }
        for start in expected + ["", "a", "b/"] {
            switch listing.nextSubdirectory(from: start) {
            case .name(let name):
                let next = expected.first { $0 >= start }
                #expect(next == Key(name + [Key.delimiter]), context)
            case .none: #expect(!expected.contains { $0 >= start }, context)
            case .unknown(let end):
                #expect(!listing.isComplete, context)
                #expect(!expected.contains { $0 >= start && $0 < end }, context)
            }
        }
    }

    @Test("the pages of a whole listing complete every directory, in any order", arguments: 0..<200)
    func wholeListingsComplete(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let request = ListRequest(prefix: "", isDelimited: false)
        var known = KnownDirectories()
        let pages = try pages(of: contents(of: keys), request, limits: 1...7, using: &random)
        for page in pages.shuffled(using: &random) {
            for coverage in page.coverages(below: "", account: BlockAccount()) { known.absorb(coverage) }
        }
        let model = TreeModel(keys: keys)
        var directories: [Key] = [""]
        while let prefix = directories.popLast() {
            let entries = model.entries(of: prefix)
            #expect(known.directories[prefix]?.isComplete == true, "\(prefix), seed \(seed)")
            #expect(known.entries(of: prefix).count == entries.count, "\(prefix), seed \(seed)")
            for (name, kind) in entries where kind == .directory {
                directories.append(prefix.appending(name + [Key.delimiter]))
            }
        }
    }

    @Test("known entries never change, and later pages fill the gaps", arguments: 0..<200)
    func firstProofStays(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let stable = oddKeys(count: Int.random(in: 0...30, using: &random), using: &random)
        let changing = oddKeys(count: Int.random(in: 1...30, using: &random), using: &random)
        var known = KnownDirectories()
        var firstAnswers: [Key: [Name: DirectoryEntry?]] = [:]
        for _ in 0..<12 {
            // Other keys come and go from page to page.
            let now = Set(stable + changing.filter { _ in Bool.random(using: &random) })
            for page in try randomPages(of: contents(of: now.sorted()), below: "", using: &random).prefix(2) {
                for coverage in page.coverages(below: "", account: BlockAccount()) { known.absorb(coverage) }
            }
            for (prefix, listing) in known.directories {
                for (name, first) in firstAnswers[prefix, default: [:]] {
                    #expect(listing.knownEntry(name) == .some(first), "\(Key(name.bytes)) in \(prefix), seed \(seed)")
                }
                for key in stable + changing where key.hasPrefix(prefix) {
                    let component = key.bytes.dropFirst(prefix.bytes.count).prefix { $0 != Key.delimiter }
                    guard let name = try? Name(component), let entry = listing.knownEntry(name) else { continue }
                    firstAnswers[prefix, default: [:]][name] = entry
                    let isStable = TreeModel(keys: stable).entries(of: prefix)[name.bytes] != nil
                    #expect(entry != nil || !isStable, "\(Key(name.bytes)) in \(prefix), seed \(seed)")
                }
            }
        }
    }

    @Test func `a page out of order or outside of its prefix is rejected`() {
        let request = ListRequest(prefix: "d/", isDelimited: true)
        for keys: [Key] in [["d/b", "d/b"], ["d/b", "d/a"], ["e"], ["d/a", "e/"], [""]] {
            #expect(throws: PageFlaw.self) { try PageCoverage(listedPage(keys), of: request) }
        }
        #expect(throws: PageFlaw.self) { try PageCoverage(listedPage(["d/c"]), of: request, from: "d/d") }
    }

    @Test func `a file is held back until a directory of its name can no longer follow`() throws {
        var listing = KnownEntries()
        var lower: Key = ""
        func absorb(_ keys: [Key], next: String?) throws -> HiddenKeys {
            let page = try PageCoverage(
                listedPage(keys, next: next), of: ListRequest(prefix: "", isDelimited: true), from: lower)
            lower = page.interval.upper ?? ""
            return listing.absorb(try #require(page.coverage(of: "", account: BlockAccount())))
        }
        #expect(try absorb(["a", "a-1"], next: "1").count == 0)
        #expect(listing.settledCount == 0)
        #expect(try absorb(["a-2", "a.txt"], next: "2").count == 0)
        #expect(listing.settledCount == 0)
        #expect(try absorb(["a/"], next: "3").first == "a")
        #expect(listing.allEntries.map { Key($0.name.bytes) } == ["a-1", "a-2", "a.txt", "a"])
        #expect(listing.allEntries.last?.isDirectory == true)
    }

    @Test(
        "a page that begins or ends within a subdirectory covers it only if it has a key of it",
        arguments: [
            // The beginning and keys of a flat page, and names to look up: present (+), absent (-), unknown (?).
            (from: "a/m", keys: ["a/n", "b"], isLast: true, "+a +b -c", "?a/l +a/n -a/o"),
            (from: "a/m", keys: ["b"], isLast: true, "?a +b -c", "?a/l -a/n"),
            (from: "a/m", keys: [], isLast: true, "?a -b", "?a/l -a/n"),
            (from: "", keys: ["a/n"], isLast: false, "+a ?b", "-a/m ?a/n ?a/o"),
            (from: "a/", keys: ["a/b/c"], isLast: false, "+a ?b", "+a/b ?a/c -a/a"),
            (from: "a/b/c", keys: [], isLast: true, "?a -c", "?a/b -a/c"),
        ] as [(from: Key, keys: [Key], isLast: Bool, String, String)])
    func middles(from start: Key, keys: [Key], isLast: Bool, atRoot: String, below: String) throws {
        var request = ListRequest(prefix: "", isDelimited: false)
        if !start.bytes.isEmpty { request.startAfter = start }
        var known = KnownDirectories()
        let page = try PageCoverage(listedPage(keys, next: isLast ? nil : "more"), of: request)
        for coverage in page.coverages(below: "", account: BlockAccount()) { known.absorb(coverage) }
        for text in (atRoot + " " + below).split(separator: " ") {
            let key = Key(String(text.dropFirst()))
            let listing = try #require(known.directories[key.folderPrefix])
            let name = try Name(key.dropping(key.folderPrefix.bytes.count).bytes)
            let sign =
                switch listing.answer(for: name) {
                case .present: "+"
                case .absent: "-"
                case .unknown: "?"
                }
            #expect(sign == String(text.prefix(1)), "\(text)")
        }
    }

    /// The last page of a listing that began in the middle. goofys took it for all of its directories (goofys#474).
    @Test func `a listing that begins in the middle completes only the directories that it covers wholly`() throws {
        let keys: [Key] = ["d/a", "d/b", "d/s/x", "d/s/y", "d/t/z"]
        var known = KnownDirectories()
        for start: Key in ["d/s/x", "d/b", "d/a/"] {
            let request = ListRequest(prefix: "d/", isDelimited: false, startAfter: start)
            let page = try #require(contents(of: keys).page(request))
            for coverage in try PageCoverage(page, of: request).coverages(below: "", account: BlockAccount()) {
                known.absorb(coverage)
            }
            #expect(known.directories["d/"]?.isComplete == false)
            #expect(known.entries(of: "d/").isEmpty)
            #expect(known.directories["d/t/"]?.isComplete == true)
            #expect(known.directories["d/s/"]?.isComplete == (start != "d/s/x"))
        }
        #expect(known.directories[""]?.isComplete == false)
    }
}

/// The known entries of directories, by prefix.
private struct KnownDirectories {
    private(set) var directories: [Key: KnownEntries] = [:]

    mutating func absorb(_ coverage: DirectoryCoverage) {
        _ = directories[coverage.block.prefix, default: KnownEntries()].absorb(coverage)
    }

    func entries(of prefix: Key) -> [DirectoryEntry] {
        directories[prefix]?.allEntries ?? []
    }
}

extension KnownEntries {
    /// All settled entries, in the order of their indices.
    var allEntries: [DirectoryEntry] {
        var entries: [DirectoryEntry] = []
        while let slice = self.entries(from: entries.count) {
            entries += slice.range.map { slice.block.entry($0) }
        }
        return entries
    }

    /// Returns the entry of a name; `.some(nil)` if there is none, and `nil` if that isn't known.
    fileprivate func knownEntry(_ name: Name) -> DirectoryEntry?? {
        switch answer(for: name) {
        case .present(let found): .some(found.entry)
        case .absent: .some(nil)
        case .unknown: nil
        }
    }
}
