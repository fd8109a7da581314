import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

/// The positions of files in the listing of their directory.
struct ListingPositionTests {
    @Test(arguments: 0..<60)
    func `listing positions equal those of readdir, and cost no request`(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let store = InMemoryStore(pageLimit: Int.random(in: 1...7, using: &random), delivery: .inline)
        let keys = oddKeys(count: Int.random(in: 1...60, using: &random), using: &random)
        for key in keys { store.put(key, .text("x")) }
        let prefix: Key = ["", "a/", "b/"].randomElement(using: &random) ?? ""
        let namespace = namespace(on: store, root: prefix)
        for key in keys { #expect(namespace.listingPosition(of: key) == nil, "nothing is listed") }

        let entries = try readAll(try #require(namespace.inode(.root)), in: namespace)
        let requestCount = store.listRequests.count
        let files = entries.enumerated().compactMap { index, entry -> ListingPosition.File? in
            guard case .file(let object) = entry.kind else { return nil }
            return ListingPosition.File(index: index, version: object.version)
        }
        for file in files {
            let position = try #require(namespace.listingPosition(of: file.version.key), "seed \(seed)")
            #expect(position.index == file.index, "seed \(seed)")
            #expect(position.directory == prefix && position.entryCount == entries.count, "seed \(seed)")
            let range = Int.random(in: 0...5, using: &random)..<Int.random(in: 5...80, using: &random)
            #expect(position.files(in: range) == files.filter { range.contains($0.index) }, "seed \(seed), \(range)")
        }
        // Neither files that a directory hides nor those in other directories.
        let listed = Set(files.map(\.version.key))
        for key in keys where !listed.contains(key) {
            #expect(namespace.listingPosition(of: key) == nil, "seed \(seed)")
        }
        #expect(store.listRequests.count == requestCount)
    }

    @Test func `an expired listing gives positions until there is another`() throws {
        let store = InMemoryStore(pageLimit: 4, delivery: .inline)
        for index in 10..<20 { store.put(Key("\(index)"), .text("x")) }
        let namespace = namespace(on: store, root: "", timeToLive: .limited(.zero))
        let root = try #require(namespace.inode(.root))
        namespace.lookup(try Name("10".utf8), in: root) { _ in }
        let position = try #require(namespace.listingPosition(of: "10"))
        // Nothing is known yet at "13/".
        #expect(position.files(in: 0..<100).map(\.index) == [0, 1, 2])
        #expect(namespace.listingPosition(of: "15") == nil)
        #expect(store.listRequests.count == 1)
    }

    private func namespace(on store: InMemoryStore, root: Key, timeToLive: TimeToLive = .forever) -> Namespace {
        Namespace(
            store: store, root: root, timeToLive: timeToLive, requestTimeout: .seconds(10),
            metadataByteLimit: 64 << 20, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Returns all entries of a directory, in order.
    private func readAll(_ inode: Inode, in namespace: Namespace) throws -> [DirectoryEntry] {
        let directory = namespace.openDirectory(inode)
        let entries = Mutex<[DirectoryEntry]>([])
        while true {
            let count = entries.withLock { $0.count }
            directory.entries(from: count, isRestart: count == 0) { result in
                entries.withLock { $0 += (try? result.get().all) ?? [] }
            }
            if entries.withLock({ $0.count }) == count { return entries.withLock { $0 } }
        }
    }
}
