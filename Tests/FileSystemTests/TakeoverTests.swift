import BlockCache
import Logging
import Namespace
import ObjectStore
import Reader
import StateLog
import Synchronization
import SystemSupport
import Testing
import TestSupport

import struct SystemPackage.Errno

@testable import FileSystem

/// A server without a kernel, and its log.
private final class Server {
    let log: StateLog
    let fileSystem: FileSystem

    init(
        _ log: StateLog, on store: InMemoryStore, timeToLive: TimeToLive = .forever, mountTime: Int = 0,
        hasShortInodeNumbers: Bool = false
    ) throws {
        self.log = log
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        var options = FileSystem.Options(
            bucket: "bucket",
            ownership: Ownership(userID: 1, groupID: 2, filePermissions: 0o444, directoryPermissions: 0o555),
            mountTime: Timestamp(seconds: mountTime), hasExtendedAttributes: false)
        options.hasShortInodeNumbers = hasShortInodeNumbers
        fileSystem = FileSystem(
            namespace: Namespace(
                store: store, root: "", timeToLive: timeToLive, requestTimeout: .seconds(10),
                metadataByteLimit: 64 << 20, log: log, logger: logger),
            reader: Reader(
                store: store, cache: try BlockCache(byteLimit: BlockCache.minimumByteLimit),
                limits: ReaderLimits(readTimeout: .seconds(10))),
            options: options, log: log, logger: logger)
        try fileSystem.restore()
    }

    func lookup(_ name: String, below parent: InodeID = .root) throws -> FileSystem.Entry? {
        let answer = Mutex<Result<FileSystem.Lookup, Errno>?>(nil)
        fileSystem.lookup(name.utf8, in: parent) { result in answer.withLock { $0 = result } }
        return try #require(answer.withLock { $0 }).get().entry
    }

    func open(_ id: InodeID) throws -> Handle {
        let answer = Mutex<Result<FileSystem.OpenedFile, Errno>?>(nil)
        _ = fileSystem.open(id, forWriting: false, wantsLocalFile: false) { result in answer.withLock { $0 = result } }
        return try #require(answer.withLock { $0 }).get().handle
    }

    func read(_ handle: Handle, offset: Int, byteCount: Int) throws -> String {
        if case .bytes(let bytes) = try fileSystem.readAvailable(handle, offset: offset, byteCount: byteCount) {
            return text(bytes)
        }
        let answer = Mutex<Result<ReadBytes, Errno>?>(nil)
        _ = try fileSystem.read(handle, offset: offset, byteCount: byteCount) { result in
            answer.withLock { $0 = result }
        }
        return text(try #require(answer.withLock { $0 }).get())
    }

    private func text(_ bytes: ReadBytes) -> String {
        bytes.withSegments { String(decoding: $0.flatMap { Array($0) }, as: UTF8.self) }
    }

    /// Entries from `cookie` on, `limit` of them at the most, as the kernel has room for them; counted as lookups.
    func readDirectory(_ handle: Handle, from cookie: Int, limit: Int) throws -> [Listed] {
        let answer = Mutex<Result<DirectoryChunk, Errno>?>(nil)
        fileSystem.readDirectory(handle, from: cookie) { result in answer.withLock { $0 = result } }
        let chunk = try #require(answer.withLock { $0 }).get()
        return (0..<min(chunk.count, limit)).map { index in
            let entry = chunk[index]
            var name = ""
            entry.withName { bytes in name = bytes.withUnsafeBufferPointer { String(decoding: $0, as: UTF8.self) } }
            return Listed(name: name, cookie: entry.cookie, inode: chunk.lookup(entry)?.id)
        }
    }
}

/// An entry as the kernel gets it.
private struct Listed: Hashable {
    let name: String
    let cookie: Int
    let inode: InodeID?
}

@Suite("A server that takes over from a dead one") struct TakeoverTests {
    private let store = InMemoryStore(pageLimit: 7, delivery: .inline)
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func firstServer(on store: InMemoryStore? = nil) throws -> Server {
        try Server(.create(logger: logger), on: store ?? self.store)
    }

    private func successor(
        of server: Server, on store: InMemoryStore? = nil, timeToLive: TimeToLive = .forever
    ) throws -> Server {
        try Server(logAfterKill(of: server.log), on: store ?? self.store, timeToLive: timeToLive, mountTime: 99)
    }

    @Test func `reads on in the files that are open, and asks nothing before`() throws {
        store.put("d/f", .text("0123456789"))
        let first = try firstServer()
        let directory = try #require(try first.lookup("d"))
        let file = try #require(try first.lookup("f", below: directory.id))
        let handle = try first.open(file.id)
        #expect(try first.read(handle, offset: 0, byteCount: 4) == "0123")
        store.clearLog()
        let second = try successor(of: first)
        #expect(store.log.isEmpty)
        #expect(second.fileSystem.openFiles.map(\.handle) == [handle])
        #expect(second.fileSystem.openFiles.map(\.inode) == [file.id])
        #expect(try second.read(handle, offset: 4, byteCount: 4) == "4567")
        #expect(try second.fileSystem.attributes(of: file.id) == file.attributes)
        let own = try second.open(file.id)
        #expect(own != handle)
        second.fileSystem.close(handle)
        #expect(throws: Errno.badFileDescriptor) { try second.read(handle, offset: 0, byteCount: 1) }
        #expect(try successor(of: second).fileSystem.openFiles.map(\.handle) == [own])
    }

    @Test func `tells of an object that was overwritten meanwhile as of another one`() throws {
        store.put("f", .text("old"))
        let first = try firstServer()
        let old = try #require(try first.lookup("f"))
        let handle = try first.open(old.id)
        store.put("f", .text("new"))
        let second = try successor(of: first)
        let new = try #require(try second.lookup("f"))
        #expect(new.id != old.id)
        #expect(throws: Errno.staleNFSFileHandle) { try second.read(handle, offset: 0, byteCount: 3) }
        #expect(try second.read(second.open(new.id), offset: 0, byteCount: 3) == "new")
    }

    @Test func `knows when the mount began, and gives folders the time that they had`() throws {
        store.put("d/f", .text("x"))
        let first = try firstServer()
        let directory = try #require(try first.lookup("d"))
        let second = try successor(of: first)
        #expect(try second.fileSystem.attributes(of: directory.id) == directory.attributes)
        #expect(second.fileSystem.mountTime == Timestamp(seconds: 0))
    }

    /// Two names whose inode numbers of 32 bits would be the same.
    private func namesOfOneShortNumber() throws -> (String, String) {
        var names: [UInt32: String] = [:]
        for index in 0..<1_000_000 {
            let name = "n\(index)"
            let number = ShortNumberTable.preferred(for: Inode.number(of: Key(name)))
            if let other = names.updateValue(name, forKey: number) { return (other, name) }
        }
        throw NeverHappened(description: "a million names with numbers of their own")
    }

    @Test func `shows inode numbers of 32 bits as they were, also of names that the kernel has forgotten`() throws {
        let (one, other) = try namesOfOneShortNumber()
        store.put(Key(one), .text("x"))
        store.put(Key(other), .text("x"))
        let first = try Server(.create(logger: logger), on: store, hasShortInodeNumbers: true)
        let entries = try [one, other].map { try #require(try first.lookup($0)) }
        let numbers = entries.map(\.attributes.inodeNumber)
        #expect(numbers[0] < 1 << 32)
        #expect(numbers[1] == numbers[0] + 1)
        for entry in entries { first.fileSystem.forget(entry.id, count: 1) }
        var server = first
        // More than once, since the log is written anew in between.
        for _ in 0..<3 {
            server = try Server(
                logAfterKill(of: server.log, rewriteByteCountMin: 0), on: store, hasShortInodeNumbers: true)
            #expect(try #require(try server.lookup(other)).attributes.inodeNumber == numbers[1])
            #expect(try #require(try server.lookup(one)).attributes.inodeNumber == numbers[0])
        }
    }

    @Test func `needs no store for folders that were read to their end`() throws {
        for number in 10..<40 { store.put(Key("\(number)"), .text("x")) }
        let first = try firstServer()
        let handle = try first.fileSystem.openDirectory(.root, mayBeCopied: false).handle
        var reading = DirectoryReading()
        while try reading.goOn(first, handle, limit: 5) {}
        let second = try successor(of: first)
        store.clearLog()
        for cookie in [2, 11, 31] {
            var again = DirectoryReading(cookie: cookie)
            while try again.goOn(second, handle, limit: 4) {}
            #expect(again.names == Array(reading.names.dropFirst(cookie - 2)))
        }
        #expect(store.log.isEmpty)
    }

    @Test func `answers what comes late for handles that were closed, and for a listing of a tree that has ended`()
        throws
    {
        store.put("d/f", .text("x"))
        let first = try firstServer()
        let folder = try #require(try first.lookup("d"))
        let file = try first.open(#require(try first.lookup("f", below: folder.id)).id)
        let directory = try first.fileSystem.openDirectory(.root, mayBeCopied: true).handle
        try first.fileSystem.beginWarming(directory)
        first.fileSystem.close(file)
        let second = try successor(of: first)
        // The kernel may ask again, if the answer was on its way.
        second.fileSystem.close(file)
        #expect(throws: Errno.noData) { try second.fileSystem.warmStatus(directory) }
        try second.fileSystem.beginWarming(directory)
        let errno = Mutex<[Errno?]>([])
        second.fileSystem.refresh(directory, .tree) { answer in errno.withLock { $0.append(answer) } }
        #expect(errno.withLock { $0 } == [nil])
        second.fileSystem.closeDirectory(directory)
        second.fileSystem.closeDirectory(directory)
    }

    @Test func `knows that the store lists in no order`() throws {
        let store = InMemoryStore(pageLimit: 7, delivery: .inline, order: .reversed)
        for number in 10..<40 { store.put(Key("\(number)"), .text("x")) }
        let first = try firstServer(on: store)
        let handle = try first.fileSystem.openDirectory(.root, mayBeCopied: false).handle
        var reading = DirectoryReading()
        while try reading.goOn(first, handle, limit: 5) {}
        let second = try successor(of: first, on: store)
        store.clearLog()
        #expect(try second.lookup("10") != nil)
        #expect(try second.lookup("40") == nil)
        #expect(store.headRequests == ["10", "40"], "no first page proves what is absent")
    }

    /// Reads go on at any cookie, the bucket changes, and servers die at any time.
    @Test(
        "goes on in folders without leaving out or repeating what stayed", arguments: 0..<60,
        [ListingOrder.keys, .shuffled(seed: 1), .reversed])
    func goesOnInFolders(seed: UInt64, order: ListingOrder) throws {
        var random = SeededGenerator(seed: seed)
        let store = InMemoryStore(pageLimit: 7, delivery: .inline, order: order)
        let stable = (0..<Int.random(in: 0..<60, using: &random)).map {
            "s\($0 * 7 % 100)" + ["", "-x", ".y", "/z"][$0 % 4]
        }
        for name in stable { store.put(Key("d/" + name), .text("x")) }
        store.put("d/t", .text("x"))
        var server = try firstServer(on: store)
        let directory = try #require(try server.lookup("d"))
        var lookupCounts: [InodeID: UInt64] = [directory.id: 1]
        let handles = try (0..<3).map { _ in
            try server.fileSystem.openDirectory(directory.id, mayBeCopied: Bool.random(using: &random)).handle
        }
        var readings = handles.map { _ in DirectoryReading() }
        var goBackCount = 6
        while readings.contains(where: { !$0.isAtEnd }) {
            let number = Int.random(in: 0..<handles.count, using: &random)
            switch Int.random(in: 0..<8, using: &random) {
            case 0:
                server = try successor(
                    of: server, on: store, timeToLive: Bool.random(using: &random) ? .forever : .limited(.zero))
            // The tokens of the other orders are indices, which change with the bucket.
            case 1 where order == .keys:
                let key = Key("d/s\(Int.random(in: 0..<100, using: &random))c")
                if Bool.random(using: &random) { store.put(key, .text("c")) } else { store.change { $0.delete(key) } }
            case 2 where goBackCount > 0:
                goBackCount -= 1
                readings[number].goBack(using: &random)
            default:
                let limit = Int.random(in: 1..<9, using: &random)
                let count = readings[number].entries.count
                _ = try readings[number].goOn(server, handles[number], limit: limit)
                for entry in readings[number].entries.dropFirst(count) {
                    if let id = entry.inode { lookupCounts[id, default: 0] += 1 }
                }
            }
        }
        let expected = Set(stable.map { $0.split(separator: "/")[0] }.map(String.init) + ["t"])
        for reading in readings {
            #expect(Set(reading.names).count == reading.names.count, "nothing twice, seed \(seed)")
            #expect(expected.isSubset(of: reading.names), "nothing left out, seed \(seed)")
        }
        server = try successor(of: server, on: store)
        for (id, count) in lookupCounts {
            _ = try server.fileSystem.attributes(of: id)
            server.fileSystem.forget(id, count: count)
            #expect(throws: Errno.staleNFSFileHandle) { try server.fileSystem.attributes(of: id) }
        }
        for handle in handles { server.fileSystem.closeDirectory(handle) }
        #expect(throws: Errno.badFileDescriptor) {
            try successor(of: server, on: store).readDirectory(handles[0], from: 0, limit: 1)
        }
    }
}

/// What a reader of an open directory has seen, by the cookies that it was given.
private struct DirectoryReading {
    private(set) var entries: [Listed] = []
    private(set) var isAtEnd = false
    private var cookie: Int

    /// A reader who begins with the beginning, or goes there with seekdir(3).
    init(cookie: Int = 0) {
        self.cookie = cookie
    }

    var names: [String] { entries.map(\.name).filter { $0 != "." && $0 != ".." } }

    /// Reads on. Returns whether there was something.
    mutating func goOn(_ server: Server, _ handle: Handle, limit: Int) throws -> Bool {
        let read = try server.readDirectory(handle, from: cookie, limit: limit)
        entries += read
        cookie = read.last?.cookie ?? cookie
        isAtEnd = read.isEmpty
        return !isAtEnd
    }

    /// Goes back to something that was read before; not to the beginning, where a reader sees what there is by then.
    mutating func goBack(using random: inout SeededGenerator) {
        guard entries.count > 2 else { return }
        let count = Int.random(in: 1..<entries.count, using: &random)
        entries.removeLast(entries.count - count)
        cookie = entries[count - 1].cookie
        isAtEnd = false
    }
}
