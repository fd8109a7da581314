import BlockCache
import Logging
import Namespace
import ObjectStore
import Reader
import Synchronization
import SystemSupport
import Testing
import TestSupport

import struct SystemPackage.Errno

@testable import FileSystem

/// The operations without a kernel: what FUSE asks, on a store in memory that answers at once.
@Suite("File system") struct FileSystemTests {
    private let store = InMemoryStore(delivery: .inline)

    @Test func `a file is found, opened, read to its end and closed`() throws {
        store.put("d/f", .text("0123456789"))
        let fileSystem = try fileSystem()
        let file = try #require(try lookup("d/f", in: fileSystem).entry)
        #expect(file.attributes.byteCount == 10)
        #expect(try fileSystem.attributes(of: file.id) == file.attributes)
        let handle = try open(file.id, in: fileSystem)
        #expect(try read(handle, in: fileSystem, offset: 0, byteCount: 4) == "0123")
        #expect(try read(handle, in: fileSystem, offset: 8, byteCount: 100) == "89", "only as much as there is")
        #expect(try read(handle, in: fileSystem, offset: 10, byteCount: 1) == "")
        #expect(try read(handle, in: fileSystem, offset: .max, byteCount: .max) == "")
        fileSystem.close(handle)
        #expect(throws: Errno.badFileDescriptor) { try read(handle, in: fileSystem, offset: 0, byteCount: 1) }
    }

    @Test func `small files opened in the order of their folder cost one GET each, before they are opened`() throws {
        let count = 24
        for index in 10..<10 + count { store.put(Key("d/\(index)"), .text("\(index)")) }
        let fileSystem = try fileSystem()
        var getCounts: [Int] = []
        for index in 10..<10 + count {
            let file = try #require(try lookup("d/\(index)", in: fileSystem).entry)
            let before = getCount
            let handle = try open(file.id, in: fileSystem)
            #expect(try read(handle, in: fileSystem, offset: 0, byteCount: 100) == "\(index)")
            fileSystem.close(handle)
            getCounts.append(getCount - before)
        }
        #expect(getCounts.reduce(0, +) == count)
        #expect(store.listRequests.count == 2, "one of the root, one of the folder")
        // The third one brings itself and the next four.
        #expect(getCounts.prefix(5) == [1, 1, 5, 0, 0])
    }

    @Test func `opening what can't be opened says why`() throws {
        store.put("d/f", .text("x"))
        let fileSystem = try fileSystem()
        let directory = try #require(try lookup("d", in: fileSystem).entry)
        let file = try #require(try lookup("d/f", in: fileSystem).entry)
        #expect(throws: Errno.isDirectory) { try open(directory.id, in: fileSystem) }
        #expect(throws: Errno.readOnlyFileSystem) { try open(file.id, in: fileSystem, forWriting: true) }
        #expect(throws: Errno.notDirectory) { try fileSystem.openDirectory(file.id, mayBeCopied: false) }
        #expect(throws: Errno.notDirectory) { try lookup("x", in: fileSystem, below: file.id) }
        #expect(throws: Errno.staleNFSFileHandle) { try fileSystem.attributes(of: InodeID(rawValue: 999)) }
    }

    @Test(
        "a name that can't be one is refused without a request",
        arguments: [
            (String(repeating: "x", count: 256), Errno.fileNameTooLong), ("..", .noSuchFileOrDirectory),
            ("a\u{0}b", .noSuchFileOrDirectory),
        ])
    func badName(name: String, errno: Errno) throws {
        let fileSystem = try fileSystem()
        #expect(throws: errno) { try lookupOne(name, in: fileSystem, below: .root) }
        #expect(store.log.isEmpty)
    }

    @Test func `a name that isn't there is an answer, with how long it holds`() throws {
        let fileSystem = try fileSystem(timeToLive: .limited(.seconds(60)))
        let lookup = try lookup("missing", in: fileSystem)
        #expect(lookup.entry == nil)
        #expect(try #require(lookup.nameTimeout) <= .seconds(60))
    }

    @Test func `a directory begins with dot and dot-dot, and goes on at any cookie`() throws {
        for key: Key in ["d/a", "d/b/x", "d/c"] { store.put(key, .text("x")) }
        let fileSystem = try fileSystem()
        let directory = try #require(try lookup("d", in: fileSystem).entry)
        let handle = try fileSystem.openDirectory(directory.id, mayBeCopied: false).handle
        let all = try names(handle, in: fileSystem, from: 0)
        #expect(all.map(\.name) == [".", "..", "a", "b", "c"])
        #expect(all[0].listed.inodeNumber == directory.attributes.inodeNumber)
        #expect(all[1].listed.inodeNumber == (try fileSystem.attributes(of: .root)).inodeNumber)
        #expect(all.map(\.listed.isDirectory) == [true, true, false, true, false])
        for (index, entry) in all.enumerated() {
            let rest = try names(handle, in: fileSystem, from: entry.listed.cookie)
            #expect(rest.map(\.name) == all[(index + 1)...].map(\.name))
        }
        fileSystem.closeDirectory(handle)
        #expect(throws: Errno.badFileDescriptor) { try names(handle, in: fileSystem, from: 0) }
    }

    @Test func `an object that changed while it was open is stale, not missing`() throws {
        store.put("f", .text("old"))
        let fileSystem = try fileSystem()
        let file = try #require(try lookup("f", in: fileSystem).entry)
        let handle = try open(file.id, in: fileSystem)
        store.put("f", .text("new"))
        #expect(throws: Errno.staleNFSFileHandle) { try read(handle, in: fileSystem, offset: 0, byteCount: 3) }
        store.delete("f")
        #expect(throws: Errno.staleNFSFileHandle) { try read(handle, in: fileSystem, offset: 0, byteCount: 3) }
    }

    @Test func `extended attributes are those of S3, and none where they are off`() throws {
        store.put("d/f", .text("x"), etag: ETag("\"abc\""), storageClass: "GLACIER_IR")
        let on = try fileSystem(hasExtendedAttributes: true)
        let file = try #require(try lookup("d/f", in: on).entry)
        let directory = try #require(try lookup("d", in: on).entry)
        #expect(try on.extendedAttribute("user.s3.etag", of: file.id) == Array("abc".utf8))
        #expect(try on.extendedAttribute("user.s3.storage_class", of: file.id) == Array("GLACIER_IR".utf8))
        #expect(try on.extendedAttribute("user.s3.uri", of: file.id) == Array("s3://bucket/d/f".utf8))
        #expect(try on.extendedAttribute("user.s3.key", of: directory.id) == Array("d/".utf8))
        #expect(throws: Errno.noData) { try on.extendedAttribute("user.s3.etag", of: directory.id) }
        #expect(throws: Errno.noData) { try on.extendedAttribute("security.selinux", of: file.id) }
        #expect(
            try on.extendedAttributeNames(of: directory.id) == Array("user.s3.key\u{0}user.s3.uri\u{0}".utf8))

        let off = try fileSystem()
        #expect(throws: Errno.noFunction) { try off.extendedAttribute("user.s3.etag", of: .root) }
        #expect(throws: Errno.noFunction) { try off.extendedAttributeNames(of: .root) }
    }

    @Test func `as many trees are listed at once as may be, and another one when one of them is done`() throws {
        store.put("d/f", .text("x"))
        let fileSystem = try fileSystem()
        let directory = try #require(try lookup("d", in: fileSystem).entry)
        let handles = try (0...Warmings.countMax).map { _ in
            try fileSystem.openDirectory(directory.id, mayBeCopied: false).handle
        }
        store.hold()
        for handle in handles.dropLast() { try fileSystem.beginWarming(handle) }
        let last = try #require(handles.last)
        #expect(throws: Errno.resourceBusy) { try fileSystem.beginWarming(last) }
        fileSystem.closeDirectory(handles[0])
        try fileSystem.beginWarming(last)
        store.releaseAll()
        for handle in handles.dropFirst() {
            _ = try #require(try fileSystem.warmStatus(handle).outcome).get()
            fileSystem.closeDirectory(handle)
        }
    }

    /// How many GETs the store was asked for.
    private var getCount: Int { store.rangeRequests.count }

    private func fileSystem(
        timeToLive: TimeToLive = .forever, hasExtendedAttributes: Bool = false
    ) throws -> FileSystem {
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let ownership = Ownership(userID: 1, groupID: 2, filePermissions: 0o444, directoryPermissions: 0o555)
        return FileSystem(
            namespace: Namespace(
                store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10),
                metadataByteLimit: 64 << 20, logger: logger),
            reader: Reader(
                store: store, cache: try BlockCache(byteLimit: BlockCache.minimumByteLimit),
                limits: ReaderLimits(readTimeout: .seconds(10))),
            options: FileSystem.Options(
                bucket: "bucket", ownership: ownership, mountTime: Timestamp(seconds: 0),
                hasExtendedAttributes: hasExtendedAttributes), logger: logger)
    }

    /// Looks up a path, component by component.
    private func lookup(
        _ path: String, in fileSystem: FileSystem, below start: InodeID = .root
    ) throws -> FileSystem.Lookup {
        var components = path.split(separator: "/").map(String.init)
        let last = components.removeLast()
        let parent = try components.reduce(start) { parent, name in
            try #require(try lookupOne(name, in: fileSystem, below: parent).entry).id
        }
        return try lookupOne(last, in: fileSystem, below: parent)
    }

    private func lookupOne(
        _ name: String, in fileSystem: FileSystem, below parent: InodeID
    ) throws -> FileSystem.Lookup {
        let answer = Mutex<Result<FileSystem.Lookup, Errno>?>(nil)
        fileSystem.lookup(name.utf8, in: parent) { result in answer.withLock { $0 = result } }
        return try #require(answer.withLock { $0 }).get()
    }

    /// Opens a file, for which nothing is asked of the store.
    private func open(_ id: InodeID, in fileSystem: FileSystem, forWriting: Bool = false) throws -> Handle {
        let answer = Mutex<Result<FileSystem.OpenedFile, Errno>?>(nil)
        let wait = fileSystem.open(id, forWriting: forWriting, wantsLocalFile: false) { result in
            answer.withLock { $0 = result }
        }
        #expect(wait == nil)
        return try #require(answer.withLock { $0 }).get().handle
    }

    private func read(_ handle: Handle, in fileSystem: FileSystem, offset: Int, byteCount: Int) throws -> String {
        switch try fileSystem.readAvailable(handle, offset: offset, byteCount: byteCount) {
        case .endOfFile: return ""
        case .bytes(let bytes): return text(bytes)
        case .toBeFetched:
            let answer = Mutex<Result<ReadBytes, Errno>?>(nil)
            _ = try fileSystem.read(handle, offset: offset, byteCount: byteCount) { result in
                answer.withLock { $0 = result }
            }
            return text(try #require(answer.withLock { $0 }).get())
        }
    }

    private func text(_ bytes: ReadBytes) -> String {
        bytes.withSegments { String(decoding: $0.flatMap { Array($0) }, as: UTF8.self) }
    }

    private func name(of listed: DirectoryChunk.Listed) -> String {
        var name = ""
        listed.withName { bytes in name = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
        return name
    }

    private func names(
        _ handle: Handle, in fileSystem: FileSystem, from cookie: Int
    ) throws -> [(name: String, listed: DirectoryChunk.Listed)] {
        var names: [(String, DirectoryChunk.Listed)] = []
        var next = cookie
        while true {
            let answer = Mutex<Result<DirectoryChunk, Errno>?>(nil)
            fileSystem.readDirectory(handle, from: next) { result in answer.withLock { $0 = result } }
            let chunk = try #require(answer.withLock { $0 }).get()
            if chunk.count == 0 { return names }
            for index in 0..<chunk.count {
                names.append((name(of: chunk[index]), chunk[index]))
                next = chunk[index].cookie
            }
        }
    }
}
