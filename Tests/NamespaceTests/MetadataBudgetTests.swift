import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

@Suite("Metadata budget") struct MetadataBudgetTests {
    /// A kernel that forgets all inodes that it is asked to.
    private final class ForgetfulKernel: KernelCache {
        private let namespace: Namespace
        private let lookupCounts: Mutex<[InodeID: UInt64]>
        private let released = Mutex(0)

        init(_ namespace: Namespace) {
            self.namespace = namespace
            lookupCounts = Mutex([:])
        }

        var releasedCount: Int { released.withLock { $0 } }

        func note(_ id: InodeID) {
            lookupCounts.withLock { $0[id, default: 0] += 1 }
        }

        func release(_ names: @escaping @Sendable () -> [KernelName]) {
            let names = names()
            released.withLock { $0 += names.count }
            for name in names {
                if name.isDirectory { continue }
                let count = lookupCounts.withLock { $0.removeValue(forKey: name.child) }
                if let count { namespace.forget(name.child, count: count) }
            }
        }

        func invalidate(_ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void) {
            completion()
        }
    }

    @Test func `a walk through a tree bigger than the memory limit is complete, and stays within the limit`() throws {
        let store = InMemoryStore(delivery: .inline)
        for folder in 0..<300 {
            for file in 0..<100 { store.put(Key("folder\(folder + 1_000)/a file of some name \(file)"), .text("x")) }
        }
        let byteLimit = 1 << 20
        let namespace = namespace(on: store, byteLimit: byteLimit)
        let kernel = ForgetfulKernel(namespace)
        namespace.attach(kernel)
        var fileCount = 0
        var mostByteCount = 0
        let root = try #require(namespace.inode(.root))
        for directory in try names(in: root, of: namespace, noting: kernel.note) {
            let inode = try #require(try lookup(directory, in: root, of: namespace))
            kernel.note(inode.id)
            fileCount += try names(in: inode, of: namespace, noting: kernel.note).count
            mostByteCount = max(mostByteCount, namespace.budget.byteCount)
        }
        #expect(fileCount == 30_000)
        #expect(kernel.releasedCount > 10_000)
        // The inode table keeps room for former rows, which matters only with a limit as small as this one.
        #expect(mostByteCount < byteLimit * 3 / 2)
    }

    @Test func `a folder bigger than the memory limit is complete, and all others are dropped for it`() throws {
        let store = InMemoryStore(delivery: .inline)
        store.change { contents in
            for file in 0..<40_000 { contents.put(Key("big/some name \(file * 7_919 % 99_991)"), .text("x")) }
            for folder in 0..<100 {
                for file in 0..<50 { contents.put(Key("small/\(folder)/a file of some name \(file)"), .text("x")) }
            }
        }
        let byteLimit = 1 << 20
        let namespace = namespace(on: store, byteLimit: byteLimit)
        let root = try #require(namespace.inode(.root))
        let small = try #require(try lookup(Name("small".utf8), in: root, of: namespace))
        let smallNames = try names(in: small, of: namespace)
        for name in smallNames {
            _ = try names(in: try #require(try lookup(name, in: small, of: namespace)), of: namespace)
        }
        #expect(namespace.cache.known("small/7/") != nil)
        let big = try #require(try lookup(Name("big".utf8), in: root, of: namespace))
        let directory = namespace.openDirectory(big)
        #expect(try names(in: directory).count == 40_000)
        #expect(namespace.cache.known("small/7/") == nil)
        #expect(namespace.cache.known("big/") != nil, "a folder was dropped while it was read, which frees nothing")
        let listCount = store.listRequests.count
        #expect(try lookup(Name("some name 0".utf8), in: big, of: namespace) != nil)
        #expect(store.listRequests.count == listCount)
    }

    @Test func `a folder bigger than the memory limit is dropped when it is closed`() throws {
        let store = InMemoryStore(delivery: .inline)
        store.change { contents in
            for file in 0..<40_000 { contents.put(Key("some name \(file * 7_919 % 99_991)"), .text("x")) }
        }
        let namespace = namespace(on: store, byteLimit: 1 << 20)
        let root = try #require(namespace.inode(.root))
        #expect(try names(in: root, of: namespace).count == 40_000)
        #expect(namespace.budget.byteCount < 1 << 20)
    }

    @Test func `inodes of expired listings stay within the memory limit, however often a tree changes`() throws {
        let store = InMemoryStore(delivery: .inline)
        let byteLimit = 1 << 20
        let namespace = namespace(on: store, byteLimit: byteLimit, timeToLive: .limited(.zero))
        let kernel = ForgetfulKernel(namespace)
        namespace.attach(kernel)
        let root = try #require(namespace.inode(.root))
        var mostByteCount = 0
        let firstFiles = Mutex<[InodeID]>([])
        for round in 0..<60 {
            store.change { contents in
                for file in 0..<2_000 {
                    contents.put(Key("folder\(file % 20)/a file of some name \(file)"), .text("x"))
                }
            }
            for name in try names(in: root, of: namespace, noting: kernel.note) {
                let folder = try #require(try lookup(name, in: root, of: namespace))
                kernel.note(folder.id)
                let found = try names(in: folder, of: namespace) { id in
                    kernel.note(id)
                    if round == 0 { firstFiles.withLock { $0.append(id) } }
                }
                #expect(found.count == 100)
                mostByteCount = max(mostByteCount, namespace.budget.byteCount)
            }
        }
        #expect(kernel.releasedCount > 50_000)
        #expect(
            firstFiles.withLock { $0.count { namespace.inode($0) != nil } } == 0,
            "the kernel still knows inodes that were replaced long ago")
        #expect(mostByteCount < byteLimit * 3 / 2)
    }

    private func namespace(
        on store: InMemoryStore, byteLimit: Int, timeToLive: TimeToLive = .forever
    ) -> Namespace {
        Namespace(
            store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10), metadataByteLimit: byteLimit,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    /// Returns all names of a directory. With `note`, counts a lookup of each, like readdirplus.
    private func names(
        in inode: Inode, of namespace: Namespace, noting note: (@Sendable (InodeID) -> Void)? = nil
    ) throws -> [Name] {
        try names(in: namespace.openDirectory(inode), noting: note)
    }

    private func names(
        in directory: OpenDirectory, noting note: (@Sendable (InodeID) -> Void)? = nil
    ) throws -> [Name] {
        let found = Mutex<[Name]>([])
        while true {
            let count = found.withLock { $0.count }
            directory.entries(from: count, isRestart: count == 0) { result in
                guard let slice = try? result.get() else { return }
                for index in 0..<slice.count {
                    if let note { note(directory.recordLookup(slice[index], number: slice[index].inodeNumber)) }
                    found.withLock { $0.append(slice[index].entry.name) }
                }
            }
            if found.withLock({ $0.count }) == count { return found.withLock { $0 } }
        }
    }

    private func lookup(_ name: Name, in directory: Inode, of namespace: Namespace) throws -> Inode? {
        let answer = Mutex<Result<Namespace.Lookup, StoreError>?>(nil)
        namespace.lookup(name, in: directory) { result in answer.withLock { $0 = result } }
        return try #require(answer.withLock { $0 }).get().inode
    }
}
