import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

@Suite("Walk prefetcher") struct WalkPrefetcherTests {
    @Test(
        "a walk of 8,000 keys finds all of them with at most 20 requests",
        arguments: [InMemoryStore.Delivery.inline, .ownThread])
    func walksStudy(delivery: InMemoryStore.Delivery) throws {
        let keys = SimulatedKeys.study(subjects: 8, folders: 45, files: 22)
        let store = store(of: keys, delivery: delivery)
        let namespace = namespace(on: store)
        #expect(try Set(walk(namespace)) == Set(keys))
        #expect(store.listRequests.count <= 20)
        store.clearLog()
        #expect(try walk(namespace).count == keys.count)
        #expect(store.listRequests.isEmpty, "a second walk sent requests")
    }

    @Test("a walk of folders with few files lists several with one request") func walksTinyFolders() throws {
        let keys = SimulatedKeys.tinyFolders(1_000, files: 5)
        let store = store(of: keys, delivery: .ownThread)
        let namespace = namespace(on: store)
        #expect(try Set(walk(namespace)) == Set(keys))
        #expect(store.listRequests.count <= 40)
    }

    @Test("walks agree with the keys, for any keys", arguments: 0..<25)
    func agreesWithKeys(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let names = ["a", "a.b", "a-", "b", "ab", "é", "a b", "0"]
        let keys = Set(
            (0..<Int.random(in: 1...120, using: &random)).map { _ in
                let depth = Int.random(in: 0...4, using: &random)
                return Key(
                    (0..<depth).map { _ in (names.randomElement(using: &random) ?? "x") + "/" }.joined()
                        + "f\(Int.random(in: 0...20, using: &random))")
            })
        let store = InMemoryStore(pageLimit: Int.random(in: 2...30, using: &random), delivery: .ownThread)
        for key in keys { store.put(key, .text("x")) }
        let namespace = namespace(on: store)
        #expect(try Set(walk(namespace)) == keys, "seed \(seed)")
    }

    @Test func `reading one folder prefetches nothing in a mount`() throws {
        let store = store(of: SimulatedKeys.study(subjects: 5, folders: 5, files: 5), delivery: .inline)
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        let study = try #require(try lookUp("study", in: root, of: namespace))
        let subject = try #require(try lookUp("sub-1003", in: study, of: namespace))
        _ = try readAll(subject, of: namespace)
        #expect(store.listRequests.map(\.isDelimited) == [true, true, true])
    }

    @Test func `reading the same folder of each subject costs one request a subject`() throws {
        let store = store(of: SimulatedKeys.study(subjects: 60, folders: 10, files: 2), delivery: .ownThread)
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        let study = try #require(try lookUp("study", in: root, of: namespace))
        for name in try readAll(study, of: namespace).map(\.name) {
            let subject = try #require(try lookUp(name, in: study, of: namespace))
            let folder = try #require(try lookUp(try Name("run-104".utf8), in: subject, of: namespace))
            #expect(try readAll(folder, of: namespace).count == 2)
        }
        #expect(store.listRequests.count <= 75)
    }

    @Test func `a failed prefetch causes no error`() throws {
        let keys = SimulatedKeys.study(subjects: 8, folders: 45, files: 22)
        let store = store(of: keys, delivery: .ownThread)
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        let study = try #require(try lookUp("study", in: root, of: namespace))
        let subject = try #require(try lookUp("sub-1000", in: study, of: namespace))
        let runs = try readAll(study, of: namespace).count + readAll(subject, of: namespace).count
        #expect(runs == 53)
        _ = try readAll(try #require(try lookUp("run-100", in: subject, of: namespace)), of: namespace)
        // As with a policy that allows listing the folders, but not everything below their parent.
        store.failNext(with: StoreError(.accessDenied, "no"))
        #expect(try readAll(try #require(try lookUp("run-101", in: subject, of: namespace)), of: namespace).count == 22)
        #expect(try Set(walk(namespace)) == Set(keys))
    }

    @Test func `listing a tree lists all of it, and a walk then sends no request`() throws {
        let keys = SimulatedKeys.study(subjects: 8, folders: 45, files: 22)
        let store = store(of: keys, delivery: .ownThread)
        let namespace = namespace(on: store)
        let progress = namespace.listTree(below: "study/")
        try eventually("all is listed") { progress.isDone }
        #expect(progress.error == nil)
        #expect(progress.keyCount == keys.count)
        #expect(store.listRequests.count <= 24)
        #expect(store.listRequests.count == progress.pageCount)
        _ = try lookUp("study", in: try #require(namespace.inode(.root)), of: namespace)
        store.clearLog()
        #expect(try Set(walk(namespace)) == Set(keys))
        #expect(store.listRequests.count <= 1, "more than the root was listed")
    }

    @Test func `the known range of a directory is defined for keys outside of it`() {
        let cache = namespace(on: store(of: [], delivery: .inline)).cache
        #expect(cache.knownEnd(from: "a", below: "b/", visiting: 8) == "b/")
        #expect(cache.knownEnd(from: "c", below: "b/", visiting: 8) == nil)
    }

    @Test func `listing a tree ends with the error of a failed page, and when it is canceled`() throws {
        let store = store(of: SimulatedKeys.study(subjects: 2, folders: 2, files: 2), delivery: .ownThread)
        store.failNext(with: StoreError(.accessDenied, "no"))
        let failing = namespace(on: store).listTree(below: "")
        try eventually("the listing ends") { failing.isDone }
        #expect(failing.error?.code == .accessDenied)
        store.hold()
        let cancelled = namespace(on: store).listTree(below: "")
        cancelled.cancel()
        #expect(cancelled.isDone)
        #expect(cancelled.error?.code == .cancelled)
        store.releaseAll()
    }
}

private func store(of keys: [Key], delivery: InMemoryStore.Delivery) -> InMemoryStore {
    let store = InMemoryStore(delivery: delivery)
    for key in keys { store.put(key, .text("x")) }
    return store
}

private func namespace(on store: InMemoryStore) -> Namespace {
    Namespace(
        store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10), metadataByteLimit: 256 << 20,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
}

private func lookUp(_ name: String, in directory: Inode, of namespace: Namespace) throws -> Inode? {
    try lookUp(try Name(name.utf8), in: directory, of: namespace)
}

private func lookUp(_ name: Name, in directory: Inode, of namespace: Namespace) throws -> Inode? {
    let answer = Mutex<Result<Namespace.Lookup, StoreError>?>(nil)
    namespace.lookup(name, in: directory) { result in answer.withLock { $0 = result } }
    try eventually("the lookup is answered") { answer.withLock { $0 != nil } }
    return try answer.withLock { $0 }?.get().inode
}

/// Returns all entries of a directory.
private func readAll(_ inode: Inode, of namespace: Namespace) throws -> [DirectoryEntry] {
    let directory = namespace.openDirectory(inode)
    var entries: [DirectoryEntry] = []
    while true {
        let answer = Mutex<Result<DirectorySlice, StoreError>?>(nil)
        directory.entries(from: entries.count, isRestart: entries.isEmpty) { result in
            answer.withLock { $0 = result }
        }
        try eventually("the entries are there") { answer.withLock { $0 != nil } }
        guard let slice = try answer.withLock({ $0 })?.get(), slice.count > 0 else { return entries }
        entries += (0..<slice.count).map { slice[$0].entry }
    }
}

/// Returns the keys of all files, in the order of `find`.
private func walk(_ namespace: Namespace) throws -> [Key] {
    var keys: [Key] = []
    var stack = [try #require(namespace.inode(.root))]
    while let inode = stack.popLast() {
        var subdirectories: [Inode] = []
        for entry in try readAll(inode, of: namespace) {
            if entry.isDirectory {
                subdirectories.append(try #require(try lookUp(entry.name, in: inode, of: namespace)))
            } else {
                keys.append(entry.key(below: inode.key))
            }
        }
        stack += subdirectories.reversed()
    }
    return keys
}
