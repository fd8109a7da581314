import Logging
import Namespace
import ObjectStore
import Reader
import Synchronization
import Testing
import TestSupport

@testable import FileSystem

/// Prefetches of files that are opened in the order of their folder.
struct FolderReadAheadTests {
    private static let mebibyte = 1 << 20

    /// The fetched files, in order.
    private final class Fetched: Sendable {
        private let keys = Mutex<[Key]>([])

        func append(_ key: Key) { keys.withLock { $0.append(key) } }
        /// Returns the files fetched since the last call.
        func take() -> [Key] {
            keys.withLock { keys in
                defer { keys = [] }
                return keys
            }
        }
    }

    private let store = InMemoryStore(delivery: .inline)
    private let fetched = Fetched()

    /// Creates files with these sizes, named by their number in `folder`, and lists its first page.
    private func readAhead(_ byteCounts: [Int], in folder: Key = "d/") throws -> FolderReadAhead {
        for (index, byteCount) in byteCounts.enumerated() {
            store.put(key(index, in: folder), .pattern(seed: 1, byteCount: byteCount))
        }
        let namespace = namespace(root: folder)
        let root = try #require(namespace.inode(.root))
        namespace.lookup(try Name("none".utf8), in: root) { _ in }
        return FolderReadAhead(namespace: namespace) { [fetched] in fetched.append($0.key) }
    }

    private func key(_ index: Int, in folder: Key = "d/") -> Key {
        folder.appending("\(1_000 + index)".utf8)
    }

    private func keys(_ indices: some Sequence<Int>) -> [Key] {
        indices.map { key($0) }
    }

    @Test func `the third open in a folder's order prefetches the next files, without listing the folder`() throws {
        let readAhead = try readAhead(Array(repeating: 348, count: 100))
        let listCount = store.listRequests.count
        for index in 0..<2 { readAhead.noteOpen(key(index)) }
        #expect(fetched.take() == [])
        readAhead.noteOpen(key(2))
        #expect(fetched.take() == keys(3..<7))
        for index in 3..<100 { readAhead.noteOpen(key(index)) }
        #expect(fetched.take() == keys(7..<100))
        #expect(store.listRequests.count == listCount)
    }

    @Test func `big and empty files aren't prefetched`() throws {
        let sizes = [1, 1, 1, 2 << 20, 0, 5, (1 << 20) + 1, 1 << 20]
        let readAhead = try readAhead(sizes)
        for index in 0..<4 { readAhead.noteOpen(key(index)) }
        #expect(fetched.take() == keys([5]))
        readAhead.noteOpen(key(5))
        #expect(fetched.take() == keys([7]))
    }

    @Test func `prefetched files that aren't opened yet have a limit in bytes`() throws {
        let readAhead = try readAhead(Array(repeating: Self.mebibyte, count: 200))
        let limit = FolderReadAhead.byteCountMax / Self.mebibyte
        var fetchedCount = 0
        for index in 0..<200 {
            readAhead.noteOpen(key(index))
            fetchedCount += fetched.take().count
            #expect(fetchedCount + 3 - (index + 1) <= limit)
        }
        #expect(fetchedCount == 197)
    }

    @Test func `only listed files are prefetched`() throws {
        let store = InMemoryStore(pageLimit: 10, delivery: .inline)
        for index in 0..<30 { store.put(key(index), .text("x")) }
        let namespace = namespace(root: "d/", on: store)
        let readAhead = FolderReadAhead(namespace: namespace) { [fetched] in fetched.append($0.key) }
        let root = try #require(namespace.inode(.root))
        for index in 0..<3 { readAhead.noteOpen(key(index)) }
        #expect(fetched.take() == [], "a file was prefetched without a listing")
        namespace.lookup(try Name("1000".utf8), in: root) { _ in }
        for index in 3..<9 { readAhead.noteOpen(key(index)) }
        // A directory on the next page may hide the last one, so it isn't settled.
        #expect(fetched.take() == keys(6..<9))
        #expect(store.listRequests.count == 1)
    }

    @Test(arguments: [FolderReadAhead.folderCountMax - 1, FolderReadAhead.folderCountMax])
    func `the folders with the most recent opens are tracked`(otherCount: Int) throws {
        for folder in 0...otherCount {
            for file in 0..<8 { store.put(Key("\(folder)/\(file)"), .text("x")) }
        }
        let namespace = namespace(root: "")
        let readAhead = FolderReadAhead(namespace: namespace) { [fetched] in fetched.append($0.key) }
        let root = try #require(namespace.inode(.root))
        for folder in 0...otherCount {
            namespace.lookup(try Name("\(folder)".utf8), in: root) { result in
                guard let folder = try? result.get().inode, let name = try? Name("0".utf8) else { return }
                namespace.lookup(name, in: folder) { _ in }
            }
        }
        for file in 0..<2 { readAhead.noteOpen(Key("0/\(file)")) }
        for folder in 1...otherCount { readAhead.noteOpen(Key("\(folder)/0")) }
        readAhead.noteOpen(Key("0/2"))
        #expect(fetched.take().isEmpty == (otherCount == FolderReadAhead.folderCountMax))
    }

    private func namespace(root: Key, on store: InMemoryStore? = nil) -> Namespace {
        Namespace(
            store: store ?? self.store, root: root, timeToLive: .forever, requestTimeout: .seconds(10),
            metadataByteLimit: 64 << 20, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }
}
