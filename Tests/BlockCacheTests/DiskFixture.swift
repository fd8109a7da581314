import Glibc
import Logging
import ObjectStore
import Synchronization
import SystemPackage
import TestSupport

@testable import BlockCache

/// A folder for a disk cache, memory for blocks, and objects whose bytes follow from their key and offset.
final class DiskFixture: Sendable {
    /// The cache's directory, not yet created.
    let directory: FilePath
    /// The log.
    let log = RecordedLog()
    /// The number of releases of blocks.
    let releaseCount = Atomic(0)
    private let folder: FilePath
    private let pool: BlockPool
    private let caches = Mutex<[DiskCache]>([])

    /// A limit that is never reached, except in tests of limits.
    static let ampleByteLimit = 256 << 20

    /// Creates a fixture in a new temporary folder, or within `folder`.
    init(in folder: FilePath? = nil) throws {
        var template = Array("/tmp/tractfs-disk-XXXXXX".utf8CString)
        if folder == nil, mkdtemp(&template) == nil { throw Errno(rawValue: errno) }
        self.folder =
            folder ?? FilePath(template.dropLast().map { String(UnicodeScalar(UInt8(bitPattern: $0))) }.joined())
        directory = self.folder.appending("cache")
        pool = try BlockPool(slabCount: 16)
    }

    deinit {
        shutDown()
        _ = try? Shell.run("rm -rf '\(directory)'; rmdir '\(folder)' 2>/dev/null; true")
    }

    /// Opens a cache on the directory; it is shut down with the fixture at the latest.
    func cache(byteLimit: Int = ampleByteLimit, queueByteLimit: Int = 64 << 20) throws -> DiskCache {
        let log = log
        let cache = try DiskCache(
            directory: directory, byteLimit: byteLimit, source: "http://127.0.0.1 bucket",
            queueByteLimit: queueByteLimit,
            didRelease: { [weak self] in self?.releaseCount.add(1, ordering: .relaxed) },
            logger: Logger(label: "test") { _ in log })
        caches.withLock { $0.append(cache) }
        return cache
    }

    /// Shuts all caches down, and releases them.
    func shutDown() {
        for cache in caches.withLock({ exchange(&$0, with: []) }) { cache.shutdown() }
    }

    /// Returns a free block.
    func block() throws -> Block {
        guard let block = pool.takeReturned() ?? pool.takeUntouched() else { throw Errno.noMemory }
        return block
    }

    /// The number of free blocks.
    var freeBlockCount: Int { pool.freeBlockCount }

    /// Returns a complete block of `version`.
    func block(_ index: Int, of version: ObjectVersion) throws -> Block {
        let block = try block()
        let range = bytes(ofBlock: index, of: version)
        DiskFixture.content(of: version, range).withUnsafeBytes { block.fill(at: 0, from: $0) }
        return block
    }

    /// Stores blocks, and waits until they are written or dropped.
    func store(_ indices: some Sequence<Int>, of object: DiskObject) throws {
        for index in indices {
            object.store(try block(index, of: object.identity.version), at: index)
            // Stay within the memory for blocks.
            if pool.freeBlockCount < 16 { object.cache.waitUntilWritten() }
        }
        object.cache.waitUntilWritten()
    }

    /// Loads blocks.
    ///
    /// - Returns: The index of the first block that wasn't loaded, and `true` if all loaded bytes are right.
    func load(_ indices: Range<Int>, of object: DiskObject) throws -> (end: Int, areRight: Bool) {
        let version = object.identity.version
        var blocks: [Block] = []
        for _ in indices { blocks.append(try block()) }
        let progress = Mutex<[Range<Int>]>([])
        let end = Mutex<Int?>(nil)
        object.load(blocks, from: indices.lowerBound) { range in
            progress.withLock { $0.append(range) }
        } completion: { offset in
            end.withLock { $0 = offset }
        }
        try eventually("the load ends") { end.withLock { $0 != nil } }
        let offset = end.withLock { $0 } ?? 0
        var next = indices.lowerBound * Block.byteCount
        for range in progress.withLock({ $0 }) {
            if range.lowerBound != next { return (0, false) }
            next = range.upperBound
        }
        var areRight = next == offset
        let loaded = (offset + Block.byteCount - 1) / Block.byteCount
        for (index, block) in zip(indices.lowerBound..<loaded, blocks) {
            let range = bytes(ofBlock: index, of: version)
            let isRight = DiskFixture.content(of: version, range) == Array(block.bytes(0..<range.count))
            areRight = areRight && isRight
        }
        return (loaded, areRight)
    }

    /// Waits until the object is available as a complete file.
    func completeFile(of object: DiskObject) throws -> CompleteFile {
        var file: CompleteFile?
        try eventually("the object is complete", within: .seconds(3)) {
            file = object.completeFile
            return file != nil
        }
        guard let file else { throw Errno.noSuchFileOrDirectory }
        return file
    }

    /// Returns `true` if the file contains exactly the bytes of `version`.
    func isRight(_ file: CompleteFile, of version: ObjectVersion) throws -> Bool {
        var bytes = [UInt8](repeating: 0, count: version.byteCount + 1)
        let count = bytes.withUnsafeMutableBytes { pread(file.descriptor.rawValue, $0.baseAddress, $0.count, 0) }
        return count == version.byteCount
            && Array(bytes.dropLast()) == DiskFixture.content(of: version, 0..<version.byteCount)
    }

    /// Returns a version of the object `key`.
    static func version(_ key: String, byteCount: Int, etag: String = "\"1\"") -> ObjectVersion {
        ObjectVersion(key: Key(key), etag: ETag(etag), byteCount: byteCount)
    }

    /// Returns the bytes of `version` at `range`, which begins at a multiple of 8.
    static func content(of version: ObjectVersion, _ range: Range<Int>) -> [UInt8] {
        let seed = version.key.bytes.reduce(UInt64(1469)) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        return [UInt8](unsafeUninitializedCapacity: range.count + 8) { buffer, count in
            let words = UnsafeMutableRawBufferPointer(buffer).bindMemory(to: UInt64.self)
            var word = range.lowerBound / 8
            var index = 0
            while index * 8 < range.count {
                words[index] = (UInt64(word) &+ seed) &* 0x9e37_79b9_7f4a_7c15
                word += 1
                index += 1
            }
            count = range.count
        }
    }

    private func bytes(ofBlock index: Int, of version: ObjectVersion) -> Range<Int> {
        index * Block.byteCount..<min((index + 1) * Block.byteCount, version.byteCount)
    }

    // MARK: Files

    /// Returns the disk usage of the directory, according to du(1).
    func diskUsage() throws -> Int {
        let output = try Shell.run("du -s -B1 '\(directory)' | cut -f1")
        return Int(output.filter(\.isNumber)) ?? 0
    }

    /// Returns the path of an object's file.
    func path(of object: DiskObject, _ suffix: String) -> String {
        let name = object.identity.name
        return "\(directory)/objects/\(name.prefix(2))/\(name)\(suffix)"
    }

    /// Writes `bytes` into a file, behind the cache's back.
    func overwrite(_ path: String, at offset: Int, with bytes: [UInt8]) throws {
        let file = try FileDescriptor.open(FilePath(path), .readWrite)
        defer { try? file.close() }
        _ = try bytes.withUnsafeBytes { try file.write(toAbsoluteOffset: Int64(offset), $0) }
    }

    /// Flips a bit of a file, behind the cache's back.
    func flip(_ path: String, at offset: Int) throws {
        let file = try FileDescriptor.open(FilePath(path), .readWrite)
        defer { try? file.close() }
        var byte: [UInt8] = [0]
        _ = try byte.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: Int64(offset), into: $0) }
        byte[0] ^= 0x10
        _ = try byte.withUnsafeBytes { try file.write(toAbsoluteOffset: Int64(offset), $0) }
    }
}

/// System commands for tests.
enum Shell {
    /// Runs `command`, and returns its output.
    @discardableResult
    static func run(_ command: String) throws -> String {
        guard let pipe = popen(command, "r") else { throw Errno(rawValue: errno) }
        var output: [UInt8] = []
        while case let byte = getc(pipe), byte != EOF { output.append(UInt8(truncatingIfNeeded: byte)) }
        guard pclose(pipe) == 0 else { throw ShellFailure(command: command) }
        return String(decoding: output, as: UTF8.self)
    }
}

/// A command that failed.
struct ShellFailure: Error {
    let command: String
}
