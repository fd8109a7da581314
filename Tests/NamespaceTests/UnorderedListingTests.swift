import Logging
import ObjectStore
import Synchronization
import SystemSupport
import Testing
import TestSupport

@testable import Namespace

@Suite("Stores that don't list in the order of keys") struct UnorderedListingTests {
    /// The order of a store's listings, and the number of items on a page.
    struct Listing: CustomTestStringConvertible, Sendable {
        let order: ListingOrder
        let pageLimit: Int

        var testDescription: String { "\(order), \(pageLimit) a page" }

        static func all(pageLimits: [Int]) -> [Listing] {
            ListingOrder.others(seed: 7).flatMap { order in pageLimits.map { Listing(order: order, pageLimit: $0) } }
        }
    }

    /// The tree of a bug report, and names that another order separates from their neighbours.
    private static let keys: [Key] = [
        "100%.txt", "README", "a", "a-", "a-b", "a/b", "a/c/d", "a0", "packed", "sub-01-extra/x",
        "sub-01/anat/T1w.nii.gz",
        "sub-01/anat/T2w.nii.gz", "sub-01/anat-2/x", "sub-02/f.txt", "z/1", "z/2", "z/3", "z/4", "z/5",
    ]

    // MARK: A store that is known to be unordered

    @Test("lookups, absences and directories are right from the first one on", arguments: 0..<120)
    func agreesWithModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let model = TreeModel(keys: keys)
        let order = try #require(ListingOrder.others(seed: seed).randomElement(using: &random))
        let pageLimit = try #require([1, 2, 3, 7, 30, 1_000].randomElement(using: &random))
        let store = InMemoryStore(pageLimit: pageLimit, delivery: .inline, order: order, listsInOrder: false)
        for key in keys { store.put(key, .text("x")) }
        let tree = Tree(store)
        var directories = [try tree.root]
        for _ in 0..<60 {
            let directory = try #require(directories.randomElement(using: &random))
            let expected = model.entries(of: directory.key)
            if Int.random(in: 0..<4, using: &random) == 0 {
                #expect(try Set(tree.names(of: directory)) == Set(expected.keys), "\(order), seed \(seed)")
            }
            let asked = expected.keys.sorted { Key($0) < Key($1) } + oddKeys(count: 5, using: &random).map(\.bytes)
            guard let name = try? Name(asked.randomElement(using: &random) ?? []) else { continue }
            let found = try tree.lookup(name, in: directory)
            switch expected[name.bytes] {
            case nil: #expect(found == nil, "\(Key(name.bytes)), \(order), seed \(seed)")
            case .file(let key): #expect(found?.key == key && found?.kind != .directory, "\(order), seed \(seed)")
            case .directory:
                let inode = try #require(found, "\(Key(name.bytes)), \(order), seed \(seed)")
                #expect(inode.kind == .directory, "seed \(seed)")
                directories.append(inode)
            }
        }
        #expect(store.listRequests.allSatisfy { $0.startAfter == nil }, "no position but those that tokens lead to")
    }

    @Test("a walk finds each key once", arguments: Listing.all(pageLimits: [1, 2, 5, 1_000]))
    func walksKnownDisorder(listing: Listing) throws {
        let store = InMemoryStore(
            pageLimit: listing.pageLimit, delivery: .ownThread, order: listing.order, listsInOrder: false)
        for key in Self.keys { store.put(key, .text("x")) }
        let log = RecordedLog()
        let tree = Tree(store, logger: log.logger)
        #expect(try tree.walk().sorted() == TreeModel(keys: Self.keys).visibleKeys)
        #expect(log.warnings.isEmpty, "who says so beforehand isn't told")
        #expect(store.listRequests.allSatisfy { $0.isDelimited && $0.startAfter == nil })
    }

    @Test func `a directory of one page answers all lookups by that page`() throws {
        let store = store(Self.keys, order: .shuffled(seed: 3), listsInOrder: false)
        let tree = Tree(store)
        for name in ["README", "a", "a-", "nothing", "z"] { _ = try tree.lookup(Name(name.utf8), in: tree.root) }
        #expect(store.log.count == 1)
        #expect(try tree.lookup(Name("nothing".utf8), in: tree.root) == nil)
        #expect(try tree.lookup(Name("a".utf8), in: tree.root)?.kind == .directory)
    }

    @Test func `a lookup in a directory of many pages asks for the object and for the directory, once`() throws {
        let store = store(Self.keys, order: .reversed, pageLimit: 3, listsInOrder: false)
        let tree = Tree(store)
        for _ in 0..<2 {
            #expect(try tree.lookup(Name("a".utf8), in: tree.root)?.kind == .directory, "the directory hides the file")
            #expect(try tree.lookup(Name("README".utf8), in: tree.root)?.kind != .directory)
            #expect(try tree.lookup(Name("nothing".utf8), in: tree.root) == nil)
        }
        #expect(store.headRequests == ["a", "README", "nothing"])
        let listed = store.listRequests.map(\.prefix)
        #expect(listed == ["", "a/", "README/", "nothing/"])
    }

    @Test func `a lookup fails where one of its two questions does, and is asked again`() throws {
        let store = store(Self.keys, order: .reversed, pageLimit: 3, listsInOrder: false)
        let tree = Tree(store)
        _ = try tree.lookup(Name("a".utf8), in: tree.root)
        store.failNext(2, with: StoreError(.refused, "no"))
        #expect(throws: StoreError(.refused, "no")) { try tree.lookup(Name("README".utf8), in: tree.root) }
        #expect(try tree.lookup(Name("README".utf8), in: tree.root) != nil)
    }

    @Test func `The listing of a folder answers a lookup whose own requests are denied`() throws {
        let store = store(Self.keys, order: .reversed, pageLimit: 3, listsInOrder: false)
        let tree = Tree(store)
        _ = try tree.lookup(Name("a".utf8), in: tree.root)
        store.failNext(2, with: StoreError(.accessDenied, "no"))
        #expect(try tree.lookup(Name("README".utf8), in: tree.root) != nil)
        store.failNext(2, with: StoreError(.accessDenied, "no"))
        #expect(try tree.lookup(Name("nothing".utf8), in: tree.root) == nil)
    }

    @Test func `A listing goes on by its token after a page that timed out`() throws {
        let store = store(["a/1", "b/1", "c/1", "d/1", "aa", "zz"], order: .prefixesFirst, pageLimit: 4)
        let tree = Tree(store)
        let request = ListRequest(prefix: "", isDelimited: true, limit: 4)
        tree.namespace.absorb(try store.page(request).get(), of: request, askedAt: .now)
        store.failNext(1, with: StoreError(.timedOut, "late"))
        _ = try? tree.names(of: tree.root)
        #expect(try Set(tree.names(of: tree.root).map { Key($0) }) == ["a", "b", "c", "d", "aa", "zz"])
        #expect(store.listRequests.allSatisfy { $0.startAfter == nil })
    }

    @Test func `a page that leads back to an earlier one is an error, not an endless listing`() throws {
        let store = CircularStore()
        let tree = Tree(store)
        #expect(throws: StoreError.self) { try tree.names(of: tree.root) }
    }

    @Test func `a key that stands on two pages is listed once`() throws {
        let account = BlockAccount()
        var pages = CollectedPages()
        let isWhole = try pages.add(
            page(["b", "a/", "c"]).unorderedSection(of: "", account: account), next: ContinuationToken("1"))
        #expect(!isWhole)
        #expect(try pages.add(page(["c", "a", "a/"]).unorderedSection(of: "", account: account), next: nil))
        var hidden = HiddenKeys()
        let entries = try #require(
            ProvenEntries(whole: pages.sortedBlocks(of: "", account: account), hidden: &hidden))
        #expect(entries.allEntries.map { Key($0.name.bytes) } == ["a", "b", "c"])
        #expect(hidden.first == "a")
    }

    // MARK: A store that turns out to be unordered

    @Test("a walk finds each key once, and then names are right", arguments: Listing.all(pageLimits: [2, 8, 1_000]))
    func walksDisorder(listing: Listing) throws {
        let store = InMemoryStore(pageLimit: listing.pageLimit, delivery: .ownThread, order: listing.order)
        // Of a store that lists all files first, "a" would have been given as one.
        let keys = Self.keys.filter { $0 != "a" }
        for key in keys { store.put(key, .text("x")) }
        let log = RecordedLog()
        let tree = Tree(store, logger: log.logger)
        #expect(try tree.walk().sorted() == TreeModel(keys: keys).visibleKeys)
        #expect(log.warnings.count <= 1)
        #expect(tree.namespace.source.order.isTrusted == log.warnings.isEmpty)
        let root = try tree.root
        for (name, kind) in TreeModel(keys: keys).entries(of: "") {
            let found = try #require(try tree.lookup(Name(name), in: root))
            #expect((found.kind == .directory) == (kind == .directory))
        }
        #expect(try tree.lookup(Name("nothing".utf8), in: root) == nil)
    }

    @Test("walks agree with the keys when the order is lost at a random page", arguments: 0..<60)
    func losesOrder(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let names = ["a", "a.b", "a-", "b", "ab", "é", "a b", "0"]
        let keys = Set(
            (0..<Int.random(in: 1...150, using: &random)).map { _ in
                let depth = Int.random(in: 0...4, using: &random)
                return Key(
                    (0..<depth).map { _ in (names.randomElement(using: &random) ?? "x") + "/" }.joined()
                        + "f\(Int.random(in: 0...20, using: &random))")
            })
        // Pages of few items may be in order by chance, and then say what isn't so.
        let pageLimit = Int.random(in: 8...30, using: &random)
        let store = InMemoryStore(pageLimit: pageLimit, delivery: .ownThread)
        for key in keys { store.put(key, .text("x")) }
        // Nor does a store that sorts folders as names show it where only flat pages have been listed.
        let order = try #require(
            ListingOrder.others(seed: seed).filter { $0 != .foldersAsNames }.randomElement(using: &random))
        store.lists(in: order, from: Int.random(in: 0...12, using: &random))
        let log = RecordedLog()
        let tree = Tree(store, logger: log.logger)
        #expect(try tree.walk().sorted() == TreeModel(keys: Array(keys)).visibleKeys, "\(order), seed \(seed)")
        #expect(try tree.walk().sorted() == TreeModel(keys: Array(keys)).visibleKeys, "\(order), seed \(seed)")
        #expect(log.warnings.count <= 1)
    }

    @Test func `the continuation token is followed behind a page that somebody else has listed`() throws {
        let store = store(Self.keys, order: .keys, pageLimit: 4)
        let tree = Tree(store)
        let request = ListRequest(prefix: "", isDelimited: true)
        tree.namespace.absorb(try store.page(request).get(), of: request, askedAt: .now)
        #expect(try tree.names(of: tree.root).count == 11)
        #expect(store.listRequests.allSatisfy { $0.continuation != nil && $0.startAfter == nil })
    }

    @Test func `common prefixes that come before all keys hide no file, neither from lookups nor from readers`() throws
    {
        let store = store(Self.keys, order: .prefixesFirst)
        let tree = Tree(store)
        #expect(try tree.lookup(Name("README".utf8), in: tree.root) != nil)
        #expect(try Set(tree.names(of: tree.root)) == Set(TreeModel(keys: Self.keys).entries(of: "").keys))
    }

    @Test func `A lookup finds a file that the store lists behind several pages of common prefixes`() throws {
        let store = store(["a/1", "b/1", "c/1", "d/1", "e/1", "aa", "zz"], order: .prefixesFirst, pageLimit: 2)
        let tree = Tree(store)
        #expect(try tree.lookup(Name("aa".utf8), in: tree.root) != nil)
        #expect(try tree.lookup(Name("zz".utf8), in: tree.root) != nil)
        #expect(try tree.lookup(Name("bb".utf8), in: tree.root) == nil)
    }

    @Test func `pages of others don't complete a directory that has a key where its own page had none`() throws {
        let store = store(["a/x", "b", "c/y", "d", "e/z"], order: .objectsFirst)
        let tree = Tree(store)
        let own = ListRequest(prefix: "", isDelimited: true)
        tree.namespace.absorb(try store.page(own).get(), of: own, askedAt: .now)
        let flat = ListRequest(prefix: "", isDelimited: false)
        tree.namespace.absorb(try store.page(flat).get(), of: flat, askedAt: .now)
        #expect(try Set(tree.names(of: tree.root).map { Key($0) }) == ["a", "b", "c", "d", "e"])
    }

    @Test func `No later page of others completes a directory that a page of others has contradicted`() throws {
        let store = store(["a/x", "b", "c/y", "d", "e/z"], order: .objectsFirst)
        let tree = Tree(store)
        let own = ListRequest(prefix: "", isDelimited: true)
        tree.namespace.absorb(try store.page(own).get(), of: own, askedAt: .now)
        var flat = ListRequest(prefix: "", isDelimited: false)
        tree.namespace.absorb(try store.page(flat).get(), of: flat, askedAt: .now)
        flat.startAfter = "d"
        tree.namespace.absorb(try store.page(flat).get(), of: flat, askedAt: .now)
        #expect(try Set(tree.names(of: tree.root).map { Key($0) }) == ["a", "b", "c", "d", "e"])
    }

    @Test func `all that was told of names is withdrawn once, kept listings included`() throws {
        let store = store(["b/1", "b/2", "c/1"], order: .keys)
        let archive = ForgetfulArchive()
        let kernel = DistrustedKernel()
        let tree = Tree(store, archive: archive)
        tree.namespace.attach(kernel)
        let count = Atomic(0)
        tree.namespace.onDistrust { count.add(1, ordering: .relaxed) }
        let root = try tree.root
        #expect(try tree.lookup(Name("a".utf8), in: root) == nil)
        store.put("a", .text("x"))
        store.lists(in: .reversed, from: 0)
        let directory = try #require(try tree.lookup(Name("b".utf8), in: root))
        #expect(try tree.names(of: directory).count == 2)
        #expect(count.load(ordering: .relaxed) == 1)
        #expect(kernel.distrustCount == 1)
        #expect(archive.forgotten == [KeyInterval(prefix: "")])
        #expect(try tree.lookup(Name("a".utf8), in: root) != nil, "an absence of before is asked about again")
    }

    @Test func `a directory that is being read goes on behind what it has given, and gives each name once`() throws {
        let names = (10..<60).map { "f\($0)" }
        let others = (0..<30).map { Key("z/\($0)") }
        let store = store(names.map { Key($0) } + ["f10/x"] + others, order: .keys, pageLimit: 10)
        let tree = Tree(store)
        let root = try tree.root
        let directory = tree.namespace.openDirectory(root)
        let first = try tree.slice(of: directory, from: 0, isRestart: true)
        #expect(first.count > 0 && first.count < names.count)
        store.lists(in: .shuffled(seed: 5), from: 0)
        #expect(try tree.names(of: #require(try tree.lookup(Name("z".utf8), in: root))).count == others.count)
        #expect(tree.namespace.source.order.isTrusted == false)
        var given = first.all.map { Key($0.name.bytes) }
        while case let slice = try tree.slice(of: directory, from: given.count), slice.count > 0 {
            given += slice.all.map { Key($0.name.bytes) }
        }
        #expect(given.count == names.count + 1)
        #expect(Set(given) == Set(names.map { Key($0) } + ["z"]))
        #expect(try tree.slice(of: directory, from: 0).all.map { Key($0.name.bytes) } == Array(given[..<first.count]))
    }

    @Test func `a directory is given although a file of its name was given already, so that nothing in it is missed`()
        throws
    {
        let store = store(["a", "b", "a/x", "c/y"], order: .objectsFirst)
        let tree = Tree(store)
        let request = ListRequest(prefix: "", isDelimited: true)
        tree.namespace.absorb(try store.page(request).get(), of: request, askedAt: .now)
        let directory = tree.namespace.openDirectory(try tree.root)
        let first = try tree.slice(of: directory, from: 0).all
        #expect(first.map { Key($0.name.bytes) } == ["a"] && !first[0].isDirectory)
        let rest = try tree.slice(of: directory, from: 1).all
        #expect(rest.map { Key($0.name.bytes) } == ["a", "b", "c"] && rest[0].isDirectory)
        #expect(
            try tree.names(of: tree.root).map { Key($0) } == ["a", "b", "c"], "who opens it anew sees each name once")
    }

    @Test func `all who wait for a directory when the order is disproved are answered rightly`() throws {
        let names = (0..<30).map { "f\($0 * 7)" }
        let store = store(names.map { Key($0) } + ["d/x"], order: .reversed, pageLimit: 4, delivery: .ownThread)
        let tree = Tree(store)
        let root = try tree.root
        store.hold()
        let found = Mutex<[String: Bool]>([:])
        let read = Mutex<[Int]>([])
        for name in names + ["d", "absent-1", "absent-2"] {
            tree.namespace.lookup(try Name(name.utf8), in: root) { result in
                found.withLock { $0[name] = (try? result.get())?.inode != nil }
            }
        }
        let readers = (0..<5).map { _ in tree.namespace.openDirectory(root) }
        for reader in readers {
            reader.entries(from: 0, isRestart: true) { result in
                read.withLock { $0.append((try? result.get())?.count ?? -1) }
            }
        }
        store.releaseAll()
        try eventually("all are answered") {
            found.withLock { $0.count } == names.count + 3 && read.withLock { $0.count } == readers.count
        }
        found.withLock { found in
            for (name, isFound) in found { #expect(isFound == !name.hasPrefix("absent"), "\(name)") }
        }
        #expect(read.withLock { $0.allSatisfy { $0 > 0 } })
        #expect(try Set(tree.names(of: root).map { Key($0) }) == Set((names + ["d"]).map { Key($0) }))
    }

    @Test("warming a tree lists it folder by folder", arguments: [true, false])
    func warms(isKnown: Bool) throws {
        let keys = SimulatedKeys.study(subjects: 5, folders: 6, files: 4)
        let store = store(
            keys, order: .shuffled(seed: 11), pageLimit: 10, delivery: .ownThread, listsInOrder: !isKnown)
        let tree = Tree(store)
        let progress = tree.namespace.warm(below: "study/")
        try eventually("all is listed") { progress.isDone }
        #expect(progress.error == nil)
        #expect(progress.keyCount == keys.count)
        store.clearLog()
        #expect(try tree.walk(from: "study/").sorted() == keys.sorted())
        #expect(store.listRequests.count <= 1, "the root itself")
    }

    // MARK: Helpers

    private func store(
        _ keys: [Key], order: ListingOrder, pageLimit: Int = 1_000, delivery: InMemoryStore.Delivery = .inline,
        listsInOrder: Bool = true
    ) -> InMemoryStore {
        let store = InMemoryStore(pageLimit: pageLimit, delivery: delivery, order: order, listsInOrder: listsInOrder)
        for key in keys { store.put(key, .text("x")) }
        return store
    }
}

/// A namespace, asked and waited for.
private struct Tree {
    let namespace: Namespace

    init(
        _ store: any ObjectStore, archive: (any ListingArchive)? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) {
        namespace = Namespace(
            store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10), metadataByteLimit: 64 << 20,
            archive: archive, logger: logger)
    }

    var root: Inode {
        get throws { try #require(namespace.inode(.root)) }
    }

    func lookup(_ name: Name, in directory: Inode) throws -> Inode? {
        let answer = Mutex<Result<Namespace.Lookup, StoreError>?>(nil)
        namespace.lookup(name, in: directory) { result in answer.withLock { $0 = result } }
        try eventually("the lookup is answered") { answer.withLock { $0 != nil } }
        return try answer.withLock { $0 }?.get().inode
    }

    func slice(of directory: OpenDirectory, from index: Int, isRestart: Bool = false) throws -> DirectorySlice {
        let answer = Mutex<Result<DirectorySlice, StoreError>?>(nil)
        directory.entries(from: index, isRestart: isRestart) { result in answer.withLock { $0 = result } }
        try eventually("the entries are there") { answer.withLock { $0 != nil } }
        return try #require(answer.withLock { $0 }).get()
    }

    func entries(of inode: Inode) throws -> [DirectoryEntry] {
        let directory = namespace.openDirectory(inode)
        var entries: [DirectoryEntry] = []
        while true {
            let slice = try slice(of: directory, from: entries.count, isRestart: entries.isEmpty)
            if slice.count == 0 { return entries }
            entries += slice.all
        }
    }

    /// The names of all entries, each of which is there once.
    func names(of inode: Inode) throws -> [[UInt8]] {
        let names = try entries(of: inode).map(\.name.bytes)
        #expect(Set(names).count == names.count, "each name once")
        return names
    }

    /// The keys of all files below a directory, found as `find` finds them.
    func walk(from prefix: Key = "") throws -> [Key] {
        var directory = try root
        for component in prefix.bytes.split(separator: Key.delimiter) {
            directory = try #require(try lookup(Name(component), in: directory))
        }
        var keys: [Key] = []
        var stack = [directory]
        while let inode = stack.popLast() {
            for entry in try entries(of: inode) {
                if entry.isDirectory {
                    stack.append(try #require(try lookup(entry.name, in: inode)))
                } else {
                    keys.append(entry.key(below: inode.key))
                }
            }
        }
        return keys
    }
}

extension TreeModel {
    /// The keys of all files that a walk finds, in order.
    fileprivate var visibleKeys: [Key] {
        var found: [Key] = []
        var stack: [Key] = [""]
        while let prefix = stack.popLast() {
            for (name, kind) in entries(of: prefix) {
                switch kind {
                case .file(let key): found.append(key)
                case .directory: stack.append(prefix.appending(name + [Key.delimiter]))
                }
            }
        }
        return found.sorted()
    }
}

/// A store whose pages lead to each other in a circle.
private final class CircularStore: ObjectStore {
    private final class Ended: StoreRequest { func cancel() {} }

    let listsInOrder = false

    func list(
        _ request: ListRequest, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListPage, StoreError>) -> Void
    ) -> any StoreRequest {
        let number = request.continuation.flatMap { Int($0.text) } ?? 0
        completion(.success(page([Key("f\(number)")], next: "\((number + 1) % 3)")))
        return Ended()
    }

    func head(
        _ key: Key, deadline: RunningClock.Instant,
        completion: @escaping @Sendable (Result<ListedObject?, StoreError>) -> Void
    ) -> any StoreRequest {
        completion(.success(nil))
        return Ended()
    }

    func get(
        _ request: RangeRequest, deadline: RunningClock.Instant, receiver: any RangeReceiver
    ) -> any StoreRequest {
        receiver.finish(.failure(StoreError(.noSuchKey, "there are no bytes")))
        return Ended()
    }
}

/// An archive that notes what it is to forget.
private final class ForgetfulArchive: ListingArchive {
    private let intervals = Mutex<[KeyInterval]>([])

    var forgotten: [KeyInterval] { intervals.withLock { $0 } }
    func listing(_ prefix: Key) -> ArchivedListing? { nil }
    func keep(_ listing: ArchivedListing) {}
    func forget(_ prefixes: KeyInterval) { intervals.withLock { $0.append(prefixes) } }
    func shutdown() {}
}

/// A kernel that counts how often it is to distrust names.
private final class DistrustedKernel: KernelCache {
    private let count = Atomic(0)

    var distrustCount: Int { count.load(ordering: .relaxed) }
    func release(_ names: @escaping @Sendable () -> [KernelName]) {}
    func distrust(
        _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void
    ) {
        count.add(1, ordering: .relaxed)
        completion()
    }
}
