import BlockCache
import Glibc
import Namespace
import ObjectStore
import Synchronization
import SystemPackage
import SystemSupport
import TestSupport

@testable import SQLiteArchive

/// A cache directory with archives, and listings to store.
final class ArchiveFixture: Sendable {
    /// The bucket of the listings in most tests.
    static let source = "http://127.0.0.1 bucket"
    /// A time in the past.
    static let monday = Timestamp(seconds: 1_700_000_000, nanoseconds: 123_456_789)
    /// A limit that is never reached, except in tests of limits.
    static let ampleByteLimit = 256 << 20

    /// The cache directory.
    let directory: FilePath
    /// The log.
    let log = RecordedLog()
    private let archives = Mutex<[SQLiteArchive]>([])

    /// Creates the fixture in a temporary folder.
    init(in folder: String) {
        directory = FilePath(folder).appending("cache")
    }

    /// Opens the folder of the database.
    func folder() throws -> ListingFolder {
        let cache = try DiskCache(
            directory: directory, byteLimit: Self.ampleByteLimit, source: Self.source, queueByteLimit: 1 << 20,
            logger: log.logger)
        defer { cache.shutdown() }
        guard let folder = cache.listingFolder() else { throw Errno.ioError }
        return folder
    }

    /// The database file.
    var database: FilePath { directory.appending("listings/listings.db") }

    /// Opens an archive, which is shut down with the fixture at the latest.
    func archive(
        source: String = source, byteLimit: Int = ampleByteLimit, queueByteLimit: Int = ampleByteLimit
    ) throws -> SQLiteArchive {
        let archive = try SQLiteArchive(
            in: folder(), source: source, byteLimit: byteLimit, queueByteLimit: queueByteLimit, logger: log.logger)
        archives.withLock { $0.append(archive) }
        return archive
    }

    /// Shuts all archives down.
    func shutDown() {
        for archive in archives.withLock({ exchange(&$0, with: []) }) { archive.shutdown() }
    }

    /// Returns a listing of random blocks.
    static func listing(
        _ prefix: Key, at time: Timestamp = monday, blockCount: Int = 1, upTo byteCount: Int = 2_000,
        using random: inout SeededGenerator
    ) -> ArchivedListing {
        let blocks = (0..<blockCount).map { _ in
            (0..<Int.random(in: 0...byteCount, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
        }
        return ArchivedListing(prefix: prefix, listedAt: time, blocks: blocks)
    }
}

/// Calls `body` with a fixture in a temporary folder.
func withArchiveFixture<Result>(_ body: (ArchiveFixture) throws -> Result) throws -> Result {
    try withTemporaryDirectory { folder in
        let fixture = ArchiveFixture(in: folder)
        defer { fixture.shutDown() }
        return try body(fixture)
    }
}

/// A listing in a form that can be compared.
struct ComparableListing: Hashable {
    let prefix: Key
    let listedAt: Timestamp
    let blocks: [[UInt8]]

    init(_ listing: ArchivedListing) {
        prefix = listing.prefix
        listedAt = listing.listedAt
        blocks = listing.blocks
    }
}

extension SQLiteArchive {
    /// Returns the stored listing of a directory.
    func found(_ prefix: Key) -> ComparableListing? {
        listing(prefix).map(ComparableListing.init)
    }

    /// Stores listings, and waits until they are written.
    func store(_ listings: [ArchivedListing]) {
        for listing in listings { keep(listing) }
        waitUntilDone()
    }
}

extension Timestamp {
    /// Returns the time `seconds` seconds later.
    func later(_ seconds: Int) -> Timestamp { Timestamp(seconds: self.seconds + seconds, nanoseconds: nanoseconds) }
}
