import BlockCache
import Logging
import Namespace
import ObjectStore
import Reader
import Synchronization
import SystemPackage
import SystemSupport
import TestSupport
import Testing

@testable import FileSystem

/// Opens whose caller has a use for a local file.
@Suite("Opening with a local file") struct LocalFileTests {
    private let store = InMemoryStore(delivery: .inline)
    private let opened = Opened()

    /// What an open ended with.
    private final class Opened: Sendable {
        private let results = Mutex<[Result<FileSystem.OpenedFile, Errno>]>([])

        func note(_ result: Result<FileSystem.OpenedFile, Errno>) {
            results.withLock { $0.append(result) }
        }

        var all: [Result<FileSystem.OpenedFile, Errno>] { results.withLock { $0 } }
    }

    /// Opens the object, which has a local file as soon as its bytes have come.
    private func open(wantsLocalFile: Bool = true) throws -> (FileSystem, ParkedRead?) {
        store.put("f", .text("0123456789"))
        let file = CompleteFile(
            takingOwnershipOf: try FileDescriptor.open("/dev/null", .readOnly, options: .closeOnExec))
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let fileSystem = FileSystem(
            namespace: Namespace(
                store: store, root: "", timeToLive: .forever, requestTimeout: .seconds(10), metadataByteLimit: 64 << 20,
                logger: logger),
            reader: Reader(
                store: store, cache: try BlockCache(byteLimit: BlockCache.minimumByteLimit),
                limits: ReaderLimits(readTimeout: .seconds(10))),
            options: FileSystem.Options(
                bucket: "bucket",
                ownership: Ownership(userID: 1, groupID: 2, filePermissions: 0o444, directoryPermissions: 0o555),
                mountTime: Timestamp(seconds: 0), hasExtendedAttributes: false),
            logger: logger
        ) { reader, completion in
            reader.read(0..<10) { result in completion(result.map { _ in file }) }
        }
        let answer = Mutex<Result<FileSystem.Lookup, Errno>?>(nil)
        fileSystem.lookup("f".utf8, in: .root) { result in answer.withLock { $0 = result } }
        let id = try #require(answer.withLock { $0 }?.get().entry).id
        store.hold()
        let wait = fileSystem.open(
            id, forWriting: false, wantsLocalFile: wantsLocalFile, completion: opened.note)
        return (fileSystem, wait)
    }

    @Test func `the open waits for the file, and can be read through us all the same`() throws {
        let (fileSystem, wait) = try open()
        #expect(wait != nil)
        #expect(opened.all.isEmpty)
        store.releaseAll()
        let file = try #require(opened.all.first).get()
        #expect(file.localFile != nil)
        guard case .bytes(let bytes) = try fileSystem.readAvailable(file.handle, offset: 2, byteCount: 3) else {
            Issue.record("the bytes have come")
            return
        }
        #expect(bytes.withSegments { $0.map { Array($0) } } == [Array("234".utf8)])
    }

    @Test func `a caller without a use for the file doesn't wait`() throws {
        let (_, wait) = try open(wantsLocalFile: false)
        #expect(wait == nil)
        #expect(try #require(opened.all.first).get().localFile == nil)
        #expect(store.rangeRequests.isEmpty)
    }

    @Test func `an open that is given up asks for nothing more, and never ends`() throws {
        let (_, wait) = try open()
        let request = try #require(store.waiting.first)
        try #require(wait).cancel()
        #expect(request.isCancelled)
        store.releaseAll()
        #expect(opened.all.isEmpty)
    }

    @Test(
        "an open whose object can't be had says why",
        arguments: [
            (StoreError.Code.noSuchKey, Errno.noSuchFileOrDirectory), (.changed, .staleNFSFileHandle),
            (.accessDenied, .permissionDenied), (.timedOut, .timedOut),
        ])
    func failure(code: StoreError.Code, errno: Errno) throws {
        _ = try open()
        try #require(store.waiting.first).fail(with: StoreError(code, ""))
        #expect(throws: errno) { try #require(opened.all.first).get() }
    }
}
