import Logging
import ObjectStore
import Synchronization
import Testing
import TestSupport

@testable import Namespace

@Suite("Metadata budget") struct MetadataBudgetTests {
    /// A kernel that forgets what it is asked to.
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

        func release(_ names: [KernelName]) {
            released.withLock { $0 += names.count }
            for name in names {
                if name.isDirectory { continue }
                let count = lookupCounts.withLock { $0.removeValue(forKey: name.child) }
                if let count { namespace.forget(name.child, count: count) }
            }
        }

        func distrust(_ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void) {
            completion()
        }
    }

    @Test func `a walk through more than fits in memory is complete, and stays within the limit`() throws {
        let store = InMemoryStore(delivery: .inline)
        for folder in 0..<300 {
            for file in 0..<100 { store.put(Key("folder\(folder + 1_000)/a file of some name \(file)"), .text("x")) }
        }
        let byteLimit = 1 << 20
        let namespace = Namespace(
            store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10), metadataByteLimit: byteLimit,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let kernel = ForgetfulKernel(namespace)
        namespace.attach(kernel)
        var fileCount = 0
        var mostByteCount = 0
        let root = try #require(namespace.inode(.root))
        for directory in try names(in: root, of: namespace, kernel) {
            let inode = try #require(try lookup(directory, in: root, of: namespace))
            kernel.note(inode.id)
            fileCount += try names(in: inode, of: namespace, kernel).count
            mostByteCount = max(mostByteCount, namespace.budget.byteCount)
        }
        #expect(fileCount == 30_000)
        #expect(kernel.releasedCount > 10_000)
        // The inode table keeps room for rows that it had, which is much only where the limit is as small as here.
        #expect(mostByteCount < byteLimit * 3 / 2)
    }

    /// All names of a directory, each told to the kernel, as readdirplus does.
    private func names(in inode: Inode, of namespace: Namespace, _ kernel: ForgetfulKernel) throws -> [Name] {
        let directory = namespace.openDirectory(inode)
        let found = Mutex<[Name]>([])
        while true {
            let count = found.withLock { $0.count }
            directory.entries(from: count, isRestart: count == 0) { result in
                guard let slice = try? result.get() else { return }
                for index in 0..<slice.count {
                    kernel.note(directory.remember(slice[index], number: slice[index].inodeNumber))
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
