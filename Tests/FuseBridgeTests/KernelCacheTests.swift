import Foundation
import MountControl
import Mounting
import Namespace
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import FuseBridge

/// The effect of notifications on this machine's kernel.
@Suite("The kernel's cache of names", mounts) struct KernelCacheTests {
    private static let fileCount = 1_500

    private func withTree(_ body: (InMemoryStore, ServedMount) throws -> Void) throws {
        let store = InMemoryStore()
        for index in 0..<Self.fileCount { store.put(Key("folder/\(index)"), .text("content \(index)")) }
        store.put("folder/open", .text("open"))
        store.put("folder/mapped", .text("mapped"))
        store.put("work/inner/file", .text("file"))
        try withServedMount(of: store) { try body(store, $0) }
    }

    /// Returns all names that the kernel knows.
    private func names(in mount: ServedMount) -> [KernelName] {
        final class Listener: KernelCache {
            let names = Mutex<[KernelName]>([])
            func release(_ names: @escaping @Sendable () -> [KernelName]) {}
            func invalidate(
                _ names: @escaping @Sendable () -> [KernelName], completion: @escaping @Sendable () -> Void
            ) {
                self.names.withLock { $0 = names() }
            }
        }
        let listener = Listener()
        mount.namespace.attach(listener)
        mount.namespace.invalidateKernelNames("", .tree) {}
        mount.namespace.attach(mount.session.notificationQueue)
        return listener.names.withLock { $0 }
    }

    /// Returns a mapping of a file that is closed.
    private func map(_ path: String, byteCount: Int) throws -> UnsafeMutableRawBufferPointer {
        let file = try FileDescriptor.open(FilePath(path), .readOnly)
        defer { try? file.close() }
        let address = mmap(nil, byteCount, PROT_READ, MAP_SHARED, file.rawValue, 0)
        guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
        return UnsafeMutableRawBufferPointer(start: address, count: byteCount)
    }

    @Test("the kernel releases unused inodes, and no others", arguments: [45, 43])
    func release(protocolMinor: Int) throws {
        try withTree { store, mount in
            try runChecked("ls", ["-lR", mount.path])
            #expect(mount.namespace.inodeCount == Self.fileCount + 7)
            let device = try #require(mount.session.device)
            var invalidator = KernelInvalidator(
                device: device, protocolMinor: protocolMinor, logger: LogLines().logger)
            try withTemporaryDirectory { temporary in
                let worker = try BackgroundProcess(
                    "bash", ["-c", "until [ -e \"$0/go\" ]; do sleep 0.01; done; /bin/pwd; cat file", temporary],
                    directory: mount.path + "/work/inner", outputDirectory: temporary)
                defer { worker.end() }
                let open = try FileDescriptor.open(FilePath(mount.path + "/folder/open"), .readOnly)
                let mapped = try map(mount.path + "/folder/mapped", byteCount: 6)
                defer { munmap(mapped.baseAddress, mapped.count) }
                invalidator.release(names(in: mount))
                // The root; folder, work, inner; open, mapped.
                try? eventually("the end of all other inodes", within: .seconds(10)) {
                    mount.namespace.inodeCount == 6
                }
                #expect(mount.namespace.inodeCount == 6)
                var buffer = [UInt8](repeating: 0, count: 8)
                #expect(try buffer.withUnsafeMutableBytes { try open.read(into: $0) } == 4)
                #expect(String(decoding: UnsafeRawBufferPointer(mapped), as: UTF8.self) == "mapped")
                try open.close()
                #expect(FileManager.default.createFile(atPath: temporary + "/go", contents: nil))
                try worker.waitForEnd(timeout: .seconds(30))
                #expect(worker.output == mount.path + "/work/inner\nfile")
            }
            try runChecked("ls", ["-lR", mount.path])
            #expect(mount.namespace.inodeCount == Self.fileCount + 7)
        }
    }

    @Test func `lookup counts are exact: all inodes are forgotten after their release`() throws {
        guard try #require(KernelVersion.running()) >= KernelVersion(6, 18) else { return }
        try withTree { store, mount in
            for _ in 0..<3 {
                try inParallel(3) { _ in try runChecked("ls", ["-lR", mount.path]) }
                let directory = try MountedDirectory(mount.path)
                try directory.refresh(isRecursive: true)
            }
            try eventually("that no inode but the root is left") {
                // Folders can be released after all of their entries.
                let names = names(in: mount)
                mount.session.notificationQueue.release { names }
                usleep(20_000)
                return mount.namespace.inodeCount == 1
            }
        }
    }

    @Test func `a refresh shows new, deleted and changed files at once`() throws {
        try withTree { store, mount in
            try runChecked("ls", ["-lR", mount.path])
            for round in 0..<5 {
                let path = mount.path + "/work/inner"
                #expect(!FileManager.default.fileExists(atPath: path + "/new\(round)"))
                #expect(
                    try String(contentsOfFile: path + "/file", encoding: .utf8)
                        == (round == 0 ? "file" : "file \(round - 1)"))
                store.put(Key("work/inner/new\(round)"), .text("new"))
                store.put("work/inner/file", .text("file \(round)"))
                store.delete(Key("work/inner/new\(round - 1)"))
                #expect(!FileManager.default.fileExists(atPath: path + "/new\(round)"), "it is not looked for")
                try MountedDirectory(mount.path + (round % 2 == 0 ? "/work" : "")).refresh(isRecursive: true)
                #expect(try String(contentsOfFile: path + "/new\(round)", encoding: .utf8) == "new")
                #expect(try String(contentsOfFile: path + "/file", encoding: .utf8) == "file \(round)")
                #expect(!FileManager.default.fileExists(atPath: path + "/new\(round - 1)"))
                #expect(try FileManager.default.contentsOfDirectory(atPath: path).sorted() == ["file", "new\(round)"])
            }
        }
    }

    @Test func `a refresh of a folder leaves its subfolders unchanged`() throws {
        try withTree { store, mount in
            try runChecked("ls", ["-lR", mount.path])
            store.put("work/file", .text("new"))
            store.put("work/inner/new", .text("new"))
            store.clearLog()
            try MountedDirectory(mount.path + "/work").refresh(isRecursive: false)
            #expect(try String(contentsOfFile: mount.path + "/work/file", encoding: .utf8) == "new")
            #expect(!FileManager.default.fileExists(atPath: mount.path + "/work/inner/new"))
            #expect(store.listRequests.map(\.prefix) == ["work/"])
        }
    }

    @Test func `a refresh of a path outside of the mount fails`() throws {
        #expect(throws: Errno.inappropriateIOCTLForDevice) { try MountedDirectory("/tmp").refresh(isRecursive: true) }
        #expect(throws: Errno.noSuchFileOrDirectory) { try MountedDirectory("/nowhere").refresh(isRecursive: true) }
        try withTree { _, mount in
            #expect(throws: Errno.notDirectory) {
                try MountedDirectory(mount.path + "/folder/open").refresh(isRecursive: true)
            }
            #expect(throws: Errno.noData) { try MountedDirectory(mount.path).treeListingProgress(of: 1) }
        }
    }
}
