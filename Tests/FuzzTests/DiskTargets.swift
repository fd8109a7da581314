import Glibc
import Logging
import ObjectStore
import Synchronization
import SystemPackage
import SystemSupport

@testable import BlockCache
@testable import Namespace
@testable import SQLiteArchive

extension FuzzTarget {
    /// The index of a cached object. The first byte chooses what the rest is: all of the index, what stands behind a right
    /// header, or the object's bytes.
    static let cacheIndex = FuzzTarget(name: "cache-index") { bytes in
        var choices = Choices(bytes)
        let choice = choices.number(below: 3)
        try withFolder { folder in
            let directory = try CacheDirectory(making: folder.appending("cache"))
            try makeObject(in: directory, choice: choice, Array(choices.rest))
            if let files = try directory.open(identity) { try requireRight(files, isDataRight: choice != 2) }
            let cache = try DiskCacheDirectory(folder.appending("cache"))
            try cache.forEachObject { _ = $0.isComplete }
            _ = try cache.verify { _, _ in }
            try cache.clear()
            try require(try directory.open(identity) == nil, "it is there after it was cleared")
        }
    }

    private static let identity = CacheIdentity(
        source: "http://127.0.0.1 bucket",
        version: ObjectVersion(key: "sub-01/T1w.nii", etag: ETag("\"1\""), byteCount: Block.byteCount + 100))

    private static let content = (0..<identity.byteCount).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }

    /// The object's files, whole but for `bytes`.
    private static func makeObject(in directory: CacheDirectory, choice: Int, _ bytes: [UInt8]) throws {
        let files = try directory.make(identity).files
        try files.data.write(content, at: 0)
        for index in 0..<identity.blockCount {
            let checksum = content.withUnsafeBytes {
                identity.checksum(UnsafeRawBufferPointer(rebasing: $0[identity.bytes(ofBlock: index)]), ofBlock: index)
            }
            try files.setEntries([checksum], from: index)
        }
        switch choice {
        case 0:
            try files.index.truncate(to: 0)
            try files.index.write(bytes, at: 0)
        case 1: try files.index.write(bytes, at: IndexHeader.lastUseOffset)
        default: try files.data.write(bytes, at: 0)
        }
    }

    /// Whatever the index says: bytes that are believed are the object's, as long as nobody has changed them with the index.
    private static func requireRight(_ files: ObjectFiles, isDataRight: Bool) throws {
        _ = try files.holdsSeal()
        _ = try files.firstAbsent(from: 0)
        for index in 0..<identity.blockCount {
            let range = identity.bytes(ofBlock: index)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 8)
            defer { buffer.deallocate() }
            let rightCount = files.readRight(into: [buffer], from: index).rightCount
            guard rightCount == 1, isDataRight else { continue }
            try require(content[range].elementsEqual(buffer), "block \(index) has wrong bytes")
        }
    }

    /// The file of the listings' database.
    static let listingDatabase = FuzzTarget(name: "listing-database") { bytes in
        try withFolder { path in
            let log = WarningCounter()
            let logger = Logger(label: "fuzz") { _ in log }
            let directory = try CacheDirectory(making: path.appending("cache"))
            let health = DiskHealth(of: directory.path, logger: logger)
            let folder = try ListingFolder(in: directory, health: health, isMade: true)
            let file = try FileDescriptor.open(
                folder.database, .writeOnly, options: .create, permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
            let archive: SQLiteArchive
            do throws(ArchiveError) {
                archive = try SQLiteArchive(
                    in: folder, source: "http://127.0.0.1 bucket", byteLimit: 1 << 20, queueByteLimit: 1 << 20,
                    logger: logger)
            } catch {
                return
            }
            for prefix in ["", "a/", "b/"] as [Key] {
                if let listing = archive.listing(prefix) { _ = ProvenEntries(listing, account: BlockAccount()) }
            }
            archive.keep(ArchivedListing(prefix: "b/", listedAt: Timestamp(seconds: 1), blocks: [[1, 2, 3]]))
            archive.forget(KeyInterval(prefix: "a"))
            archive.shutdown()
            try require(log.count <= 3, "it was told \(log.count) times")
        }
    }

    /// Calls `body` with a folder in memory, and removes it.
    private static func withFolder(_ body: (FilePath) throws -> Void) throws {
        var template = Array("/dev/shm/tractfs-fuzz.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Errno(rawValue: errno) }
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            try? empty(LocalFile(path, O_RDONLY | O_DIRECTORY))
            rmdir(path)
        }
        try body(FilePath(path))
    }

    private static func empty(_ folder: LocalFile) throws {
        for name in try folder.names() {
            if try folder.status(of: name)?.isDirectory == true {
                try empty(LocalFile(name, in: folder, O_RDONLY | O_DIRECTORY))
            }
            try folder.unlink(name)
        }
    }
}

/// Counts what a person would be told.
private final class WarningCounter: LogHandler {
    private let warnings = Atomic(0)

    var count: Int { warnings.load(ordering: .relaxed) }
    var logLevel: Logger.Level {
        get { .warning }
        set {}
    }
    var metadata: Logger.Metadata {
        get { [:] }
        set {}
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { nil }
        set {}
    }

    func log(event: LogEvent) {
        warnings.add(1, ordering: .relaxed)
    }
}
