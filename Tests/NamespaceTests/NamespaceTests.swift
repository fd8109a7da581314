import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

@Suite("Namespace") struct NamespaceTests {
    @Test(
        "lookups and directories agree with the keys, in any order of requests", arguments: 0..<150)
    func agreesWithModel(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let keys = oddKeys(count: Int.random(in: 0...60, using: &random), using: &random)
        let model = TreeModel(keys: keys)
        let store = InMemoryStore(pageLimit: Int.random(in: 1...5, using: &random), delivery: .inline)
        for key in keys { store.put(key, .text("x")) }
        let namespace = namespace(on: store)
        var directories: [Inode] = [try #require(namespace.inode(.root))]
        for _ in 0..<60 {
            let directory = try #require(directories.randomElement(using: &random))
            let expected = model.entries(of: directory.key)
            if Bool.random(using: &random) {
                let names = try entries(of: directory, in: namespace)
                #expect(
                    names == Set(expected.map { Named(name: $0.key, isDirectory: $0.value == .directory) }),
                    "seed \(seed)")
            }
            let asked = expected.keys.sorted { Key($0) < Key($1) } + oddKeys(count: 5, using: &random).map(\.bytes)
            guard let name = try? Name(asked.randomElement(using: &random) ?? []) else { continue }
            let found = try lookup(name, in: directory, of: namespace).inode
            switch expected[name.bytes] {
            case nil: #expect(found == nil, "\(Key(name.bytes)), seed \(seed)")
            case .file(let key): #expect(found?.key == key && found?.kind != .directory, "seed \(seed)")
            case .directory:
                let inode = try #require(found, "\(Key(name.bytes)), seed \(seed)")
                #expect(inode.kind == .directory, "seed \(seed)")
                directories.append(inode)
            }
        }
    }

    @Test func `a lookup in an unlisted directory lists its first page, which answers lookups of siblings too`() throws
    {
        let store = InMemoryStore(delivery: .inline)
        for key: Key in ["d/a.nii.gz", "d/b", "d/c/x"] { store.put(key, .text("x")) }
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        let directory = try #require(try lookup("d", in: root, of: namespace).inode)
        #expect(store.listRequests.count == 1)
        #expect(try lookup("a.nii.gz", in: directory, of: namespace).inode != nil)
        #expect(try lookup("a.nii", in: directory, of: namespace).inode == nil)
        #expect(try lookup("c", in: directory, of: namespace).inode?.kind == .directory)
        #expect(try lookup("zzz", in: directory, of: namespace).inode == nil)
        #expect(store.listRequests.count == 2)
    }

    @Test func `a name beyond the first page costs one request, and none later`() throws {
        let store = InMemoryStore(pageLimit: 10, delivery: .inline)
        for index in 100..<200 { store.put(Key("f\(index)"), .text("x")) }
        store.put("z/x", .text("x"))
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        for _ in 0..<3 {
            #expect(try lookup("f150", in: root, of: namespace).inode != nil)
            #expect(try lookup("z", in: root, of: namespace).inode?.kind == .directory)
            #expect(try lookup("y", in: root, of: namespace).inode == nil)
        }
        #expect(store.listRequests.count == 4)
    }

    @Test func `a directory hides the file of its name, even with many keys between the two`() throws {
        let store = InMemoryStore(pageLimit: 3, delivery: .inline)
        for key: Key in ["a0", "a1", "a2", "n", "n-1", "n-2", "n-3", "n-4", "n/x"] { store.put(key, .text("x")) }
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        #expect(try lookup("n", in: root, of: namespace).inode?.kind == .directory)
        #expect(try entries(of: root, in: namespace).contains(Named(name: Array("n".utf8), isDirectory: true)))
    }

    @Test func `a directory's pages are each listed once, and again only after they expire`() throws {
        let store = InMemoryStore(pageLimit: 10, delivery: .inline)
        for index in 100..<135 { store.put(Key("f\(index * index)"), .text("x")) }
        let lasting = namespace(on: store)
        let root = try #require(lasting.inode(.root))
        #expect(try entries(of: root, in: lasting).count == 35)
        #expect(try entries(of: root, in: lasting).count == 35)
        #expect(store.listRequests.count == 4)

        store.clearLog()
        let fleeting = namespace(on: store, timeToLive: .limited(.zero))
        #expect(try entries(of: root, in: fleeting).count == 35)
        store.put("new", .text("x"))
        #expect(try entries(of: root, in: fleeting).count == 36)
        #expect(store.listRequests.count == 8)
    }

    @Test func `an open directory keeps its entries while the bucket changes`() throws {
        let store = InMemoryStore(pageLimit: 2, delivery: .inline)
        for key: Key in ["a", "b", "c", "d", "e"] { store.put(key, .text("x")) }
        let namespace = namespace(on: store, timeToLive: .limited(.zero))
        let directory = namespace.openDirectory(try #require(namespace.inode(.root)))
        let first = try slice(of: directory, from: 0, isRestart: true).all.map { Key($0.name.bytes) }
        #expect(first.first == "a" && first.count < 5)
        store.delete("a")
        store.delete("b")
        var rest: [Key] = []
        while true {
            let slice = try slice(of: directory, from: first.count + rest.count)
            if slice.count == 0 { break }
            rest += slice.all.map { Key($0.name.bytes) }
        }
        #expect(
            first + rest == ["a", "b", "c", "d", "e"],
            "the entries of an open directory moved")
        #expect(try slice(of: directory, from: 0, isRestart: true).all.first?.name.bytes == Array("c".utf8))
    }

    @Test func `a failed page fails its readers, doesn't end the directory, and is requested again`() throws {
        let store = InMemoryStore(pageLimit: 2, delivery: .inline)
        for key: Key in ["a", "b", "c"] { store.put(key, .text("x")) }
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        store.failNext(with: StoreError(.accessDenied, "no"))
        #expect(throws: StoreError(.accessDenied, "no")) { try entries(of: root, in: namespace) }
        #expect(try entries(of: root, in: namespace).count == 3)
    }

    @Test func `concurrent lookups in a directory share one request`() throws {
        let store = InMemoryStore()
        for index in 0..<20 { store.put(Key("f\(index)"), .text("x")) }
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        store.hold()
        let answers = Mutex(0)
        for index in 0..<40 {
            namespace.lookup(try Name("f\(index)".utf8), in: root) { result in
                if (try? result.get()) != nil { answers.withLock { $0 += 1 } }
            }
        }
        store.releaseAll()
        try eventually("all are answered") { answers.withLock { $0 } == 40 }
        #expect(store.listRequests.count == 1)
    }

    @Test func `an overwritten object is another inode with the same number`() throws {
        let store = InMemoryStore(delivery: .inline)
        store.put("f", .text("old"))
        let namespace = namespace(on: store, timeToLive: .limited(.zero))
        let root = try #require(namespace.inode(.root))
        let old = try #require(try lookup("f", in: root, of: namespace).inode)
        store.put("f", .text("new"))
        let new = try #require(try lookup("f", in: root, of: namespace).inode)
        #expect(old.id != new.id)
        #expect(old.number == new.number)
        #expect(namespace.inode(old.id) == old, "the inode of an open file is gone")
    }

    @Test func `inode numbers and ids are the same in the next process`() throws {
        let inodes = try (0..<2).map { _ in
            let store = InMemoryStore(delivery: .inline)
            store.put("d/f", .text("x"), etag: ETag("\"1\""))
            let namespace = namespace(on: store)
            let root = try #require(namespace.inode(.root))
            let directory = try #require(try lookup("d", in: root, of: namespace).inode)
            return try #require(try lookup("f", in: directory, of: namespace).inode)
        }
        #expect(inodes[0].number == inodes[1].number)
        #expect(inodes[0].id == inodes[1].id)
    }

    @Test func `an inode stays until the kernel has forgotten each lookup of it`() throws {
        let store = InMemoryStore(delivery: .inline)
        store.put("f", .text("x"))
        let namespace = namespace(on: store)
        let root = try #require(namespace.inode(.root))
        let inode = try #require(try lookup("f", in: root, of: namespace).inode)
        _ = try lookup("f", in: root, of: namespace)
        let directory = namespace.openDirectory(root)
        let entry = try slice(of: directory, from: 0, isRestart: true)[0]
        #expect(directory.recordLookup(entry, number: entry.inodeNumber) == inode.id)
        namespace.forget(inode.id, count: 2)
        #expect(namespace.inode(inode.id) == inode)
        #expect(namespace.inodeCount == 2)
        namespace.forget(inode.id, count: 1)
        #expect(namespace.inode(inode.id) == nil)
        namespace.forget(.root, count: 1)
        #expect(namespace.inodeCount == 1)
    }
}

private struct Named: Hashable {
    let name: [UInt8]
    let isDirectory: Bool
}

private func namespace(on store: InMemoryStore, timeToLive: TimeToLive = .forever) -> Namespace {
    Namespace(
        store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10),
        metadataByteLimit: 64 << 20,
        logger: Logger(label: "test") { _ in
            SwiftLogNoOpLogHandler()
        })
}

private func lookup(_ name: String, in directory: Inode, of namespace: Namespace) throws -> Namespace.Lookup {
    try lookup(try Name(name.utf8), in: directory, of: namespace)
}

/// Looks up a name on a store that answers inline.
private func lookup(_ name: Name, in directory: Inode, of namespace: Namespace) throws -> Namespace.Lookup {
    let answer = Mutex<Result<Namespace.Lookup, StoreError>?>(nil)
    namespace.lookup(name, in: directory) { result in answer.withLock { $0 = result } }
    return try #require(answer.withLock { $0 }).get()
}

private func slice(of directory: OpenDirectory, from index: Int, isRestart: Bool = false) throws -> DirectorySlice {
    let answer = Mutex<Result<DirectorySlice, StoreError>?>(nil)
    directory.entries(from: index, isRestart: isRestart) { result in answer.withLock { $0 = result } }
    return try #require(answer.withLock { $0 }).get()
}

/// Returns all entries. Records an issue if one occurs twice.
private func entries(of inode: Inode, in namespace: Namespace) throws -> Set<Named> {
    let directory = namespace.openDirectory(inode)
    var names: Set<Named> = []
    var index = 0
    while true {
        let slice = try slice(of: directory, from: index, isRestart: index == 0)
        if slice.count == 0 { return names }
        for entry in slice.all {
            let isNew = names.insert(Named(name: entry.name.bytes, isDirectory: entry.isDirectory)).inserted
            #expect(isNew, "\(Key(entry.name.bytes)) is there twice")
        }
        index += slice.count
    }
}

extension DirectorySlice {
    /// Copies of the entries.
    var all: [DirectoryEntry] { (0..<count).map { self[$0].entry } }
}
