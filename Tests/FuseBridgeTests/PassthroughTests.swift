import BlockCache
import CFuse
import Foundation
import Namespace
import ObjectStore
import Reader
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import FileSystem
@testable import FuseBridge

/// What passthrough needs of the machine, asked without the code under test.
private let passthroughAvailable: Bool = {
    var name = utsname()
    uname(&name)
    let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    let version = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
    let temporary = FileManager.default.temporaryDirectory.path
    let fileSystem = try? runChecked("stat", ["--file-system", "--format=%T", temporary])
    return geteuid() == 0 && !version.lexicographicallyPrecedes([6, 9]) && fileSystem != "overlayfs\n"
}()

/// For tests of files that the kernel really is lent.
private let passesThrough = ConditionTrait.enabled(
    if: passthroughAvailable, "needs root, Linux 6.9 or later, and a temporary folder that is not on overlayfs")

/// An object, and a file of the same size that is lent in its place. They differ, so that the bytes tell who was read.
private final class LentObject: Sendable {
    static let key: Key = "f"
    /// Neither whole pages nor whole blocks.
    static let byteCount = 300_001

    let store = InMemoryStore()
    let ours = ObjectBody.pattern(seed: 1, byteCount: byteCount).allBytes
    let lent = ObjectBody.pattern(seed: 2, byteCount: byteCount).allBytes
    let localPath: String
    private let isLending = Mutex(true)

    init(in directory: String) throws {
        localPath = directory + "/lent"
        try Data(lent).write(to: URL(fileURLWithPath: localPath))
        store.put(LentObject.key, .bytes(ours))
    }

    /// Whether opens get the file from now on.
    func setLending(_ isLending: Bool) {
        self.isLending.withLock { $0 = isLending }
    }

    var localFile: CompleteFile? {
        guard isLending.withLock({ $0 }) else { return nil }
        return (try? FileDescriptor.open(FilePath(localPath), .readOnly, options: .closeOnExec))
            .map { CompleteFile(takingOwnershipOf: $0) }
    }

    /// Mounts the object, and calls `body` with its path.
    static func withMount(_ body: (LentObject, String) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            let object = try LentObject(in: directory)
            try withServedMount(
                of: object.store,
                localFiles: { _, completion in
                    completion(.success(object.localFile))
                    return nil
                }
            ) { mount in try body(object, mount.path + "/f") }
        }
    }
}

private func open(_ path: String, direct: Bool = false) throws -> FileDescriptor {
    let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC | (direct ? TRACTFS_O_DIRECT : 0))
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    return FileDescriptor(rawValue: descriptor)
}

/// The bytes of an open file from `offset` on.
private func bytes(of file: FileDescriptor, from offset: Int = 0) throws -> [UInt8] {
    var bytes: [UInt8] = []
    try withUnsafeTemporaryAllocation(byteCount: 1 << 20, alignment: 4_096) { buffer in
        while true {
            let count = try file.read(fromAbsoluteOffset: Int64(offset + bytes.count), into: buffer)
            if count == 0 { return }
            bytes += buffer[..<count]
        }
    }
    return bytes
}

private func bytes(at path: String) throws -> [UInt8] {
    let file = try open(path)
    return try file.closeAfter { try bytes(of: file) }
}

/// The bytes of an open file, mapped as `flags` say.
private func mappedBytes(of file: FileDescriptor, _ flags: Int32) throws -> [UInt8] {
    let address = mmap(nil, LentObject.byteCount, PROT_READ, flags, file.rawValue, 0)
    guard let address, address != MAP_FAILED else { throw Errno(rawValue: errno) }
    defer { munmap(address, LentObject.byteCount) }
    return Array(UnsafeRawBufferPointer(start: address, count: LentObject.byteCount))
}

@Suite("Passthrough", mounts, passesThrough) struct PassthroughTests {
    @Test func `a file that the kernel was lent is read and mapped without us`() throws {
        try LentObject.withMount { object, path in
            let file = try open(path)
            defer { try? file.close() }
            #expect(try bytes(of: file) == object.lent)
            #expect(try bytes(of: file, from: 4_097) == Array(object.lent[4_097...]))
            #expect(try mappedBytes(of: file, MAP_SHARED) == object.lent)
            #expect(try mappedBytes(of: file, MAP_PRIVATE) == object.lent)
            #expect(object.store.rangeRequests.isEmpty)
        }
    }

    @Test func `two processes read the lent file at once`() throws {
        try LentObject.withMount { object, path in
            let file = try open(path)
            defer { try? file.close() }
            try runChecked("cmp", [path, object.localPath])
            #expect(try bytes(of: file) == object.lent)
            #expect(object.store.rangeRequests.isEmpty)
        }
    }

    @Test func `later opens read what the first one does, and after the last it is decided anew`() throws {
        try LentObject.withMount { object, path in
            let first = try open(path)
            object.setLending(false)
            let second = try open(path)
            try first.close()
            let third = try open(path)
            #expect(try bytes(of: second) == object.lent)
            #expect(try bytes(of: third) == object.lent)
            #expect(object.store.rangeRequests.isEmpty)
            try second.close()
            try third.close()
            // The kernel tells of a close when it is done with it.
            try eventually("a read through us") { try bytes(at: path) == object.ours }
        }
    }

    @Test func `while a handle is read through us, so are later ones`() throws {
        try LentObject.withMount { object, path in
            object.setLending(false)
            let first = try open(path)
            object.setLending(true)
            let second = try open(path)
            #expect(try bytes(of: first) == object.ours)
            #expect(try bytes(of: second) == object.ours)
            #expect(try mappedBytes(of: second, MAP_SHARED) == object.ours)
            try first.close()
            try second.close()
            try eventually("a read of the lent file") { try bytes(at: path) == object.lent }
        }
    }

    @Test func `a file that is unlinked while it is lent is read on`() throws {
        try LentObject.withMount { object, path in
            let file = try open(path)
            try FileManager.default.removeItem(atPath: object.localPath)
            #expect(try bytes(of: file) == object.lent)
            #expect(try mappedBytes(of: file, MAP_SHARED) == object.lent)
            #expect(try bytes(at: path) == object.lent, "a later open shares it")
            try file.close()
            try eventually("a read through us") { try bytes(at: path) == object.ours }
        }
    }

    @Test("with O_DIRECT any offset can be read, whether the file is lent or not", arguments: [true, false])
    func direct(isLending: Bool) throws {
        try LentObject.withMount { object, path in
            object.setLending(isLending)
            let file = try open(path, direct: true)
            defer { try? file.close() }
            #expect(try bytes(of: file) == object.ours)
            #expect(try bytes(of: file, from: 1_001) == Array(object.ours[1_001...]))
            let mapped = try mappedBytes(of: file, MAP_SHARED)
            #expect(mapped == (isLending ? object.lent : object.ours))
            // Beside it, the file is read as if it were alone.
            #expect(try bytes(at: path) == (isLending ? object.lent : object.ours))
        }
    }

    @Test func `threads that open and close all the time get the bytes of one or the other, never an error`() throws {
        try LentObject.withMount { object, path in
            DispatchQueue.concurrentPerform(iterations: 4) { worker in
                for round in 0..<50 {
                    object.setLending((worker + round) % 3 != 0)
                    #expect(throws: Never.self) {
                        let read = try bytes(at: path)
                        #expect(read == object.lent || read == object.ours)
                    }
                }
            }
        }
    }
}

/// What an open does while its object is fetched, on any kernel.
@Suite("Opens that wait", mounts) struct WaitingOpenTests {
    /// Local files as the reader will make them of small objects: when all bytes have come. There is none here.
    private static let afterFetching: FileSystem.LocalFileSource = { reader, completion in
        reader.read(0..<LentObject.byteCount) { result in completion(result.map { _ in nil }) }
    }

    private func withWaitingCat(
        _ body: (InMemoryStore, ServedMount, BackgroundProcess, InMemoryRequest) throws -> Void
    ) throws {
        let store = InMemoryStore()
        store.put(LentObject.key, .pattern(seed: 1, byteCount: LentObject.byteCount))
        try withServedMount(of: store, localFiles: WaitingOpenTests.afterFetching) { mount in
            // As if the kernel could be lent files, so that opens ask for them.
            mount.session.passthrough.begin(on: NoDevice())
            _ = try FileManager.default.attributesOfItem(atPath: mount.path + "/f")
            store.hold()
            try withTemporaryDirectory { directory in
                // Children of a test's thread are born with this signal blocked.
                let cat = try BackgroundProcess(
                    "env", ["--default-signal=TERM", "cat", mount.path + "/f"], outputDirectory: directory)
                defer { cat.end() }
                try eventually("the request of an open") { !store.waiting.isEmpty }
                try body(store, mount, cat, try #require(store.waiting.first))
            }
        }
    }

    @Test func `an open is answered when its object has come`() throws {
        try withWaitingCat { store, mount, cat, _ in
            #expect(try FileManager.default.contentsOfDirectory(atPath: mount.path) == ["f"], "others go on")
            #expect(cat.output.isEmpty)
            store.releaseAll()
            try cat.waitForEnd(timeout: .seconds(30))
            #expect(cat.status == 0)
        }
    }

    @Test func `a signal ends an open that waits, and its request`() throws {
        try withWaitingCat { _, _, cat, request in
            kill(cat.processID, SIGTERM)
            try cat.waitForEnd(timeout: .seconds(30))
            #expect(cat.status == -SIGTERM)
            try eventually("the end of the request") { request.isCancelled }
        }
    }

    @Test func `an open whose object can't be had fails`() throws {
        try withWaitingCat { _, _, cat, request in
            request.fail(with: StoreError(.accessDenied, "AccessDenied"))
            try cat.waitForEnd(timeout: .seconds(30))
            #expect(cat.errorOutput.contains("Permission denied"))
        }
    }

    /// Takes no file.
    private struct NoDevice: BackingDevice {
        func lend(_ file: FileDescriptor) throws(Errno) -> BackingID { throw .notSupportedOnSocket }
        func takeBack(_ id: BackingID) {}
    }
}
