import Foundation
import GRDB
import Namespace
import ObjectStore
import Synchronization

/// Reads listings from the database, some of them ahead of requests.
final class ArchiveReader: Sendable {
    /// The bytes at which reading ahead ends, so that `LoadedWindows` uses some MiB at most.
    private static let windowByteCount = 512 << 10

    private let source: String
    private let database: DatabaseQueue
    private let noteDamage: @Sendable (String) -> Void
    private let windows = Mutex(LoadedWindows())

    /// Creates a reader of the listings of `source`.
    ///
    /// - Parameter noteDamage: Called with a description of damage.
    init(source: String, database: DatabaseQueue, noteDamage: @escaping @Sendable (String) -> Void) {
        self.source = source
        self.database = database
        self.noteDamage = noteDamage
    }

    /// Returns the listing of the directory `prefix`; `nil` if there is none.
    ///
    /// - Parameter forgetCount: The forget count at the time of the request.
    func listing(_ prefix: Key, forgetCount: UInt64) throws(ArchiveError) -> ArchivedListing? {
        let now = ContinuousClock.now
        let (answer, limit) = windows.withLock {
            ($0.take(prefix, forgetCount: forgetCount, now: now), $0.limit(for: prefix))
        }
        switch answer {
        case .listing(let listing): return listing
        case .absent: return nil
        case .unknown: break
        }
        let (listings, isToEnd) = try load(from: prefix, limit: limit)
        var window = LoadedWindow(
            from: prefix, listings: listings, isToEnd: isToEnd, limit: limit, loadedAt: now, forgetCount: forgetCount)
        let wanted = window.take(prefix)
        windows.withLock { $0.append(window) }
        if case .listing(let listing) = wanted { return listing }
        return nil
    }

    /// Reads the listing of the directory `prefix`, and following listings up to `limit` or the byte limit.
    private func load(
        from prefix: Key, limit: Int
    ) throws(ArchiveError) -> (listings: [ArchivedListing], isToEnd: Bool) {
        try ArchiveError.rethrown {
            try database.inDatabase { database in
                let statement = try database.cachedStatement(
                    sql: """
                        SELECT \(ListingAssembly.columns) FROM listing
                        WHERE source = (SELECT id FROM source WHERE identity = ?) AND prefix >= ?
                        ORDER BY prefix, part
                        """)
                let rows = try Row.fetchCursor(statement, arguments: [source, Data(prefix.bytes)])
                return try assemble(rows, from: prefix, limit: limit)
            }
        }
    }

    private func assemble(
        _ rows: RowCursor, from wanted: Key, limit: Int
    ) throws -> (listings: [ArchivedListing], isToEnd: Bool) {
        var listings: [ArchivedListing] = []
        var byteCount = 0
        var assembly: ListingAssembly?
        while let row = try rows.next() {
            let prefix = try ListingAssembly.prefix(of: row)
            if let current = assembly, current.prefix != prefix {
                finish(current, &listings)
                byteCount += current.byteCount
                if listings.count >= limit { return (listings, false) }
                assembly = nil
            }
            // Read the requested listing completely, but no other big one.
            let isEnough = byteCount + (assembly?.byteCount ?? 0) >= ArchiveReader.windowByteCount
            if isEnough, prefix != wanted { return (listings, false) }
            if assembly == nil { assembly = try ListingAssembly(row) }
            try assembly?.append(row, source: source)
        }
        if let assembly { finish(assembly, &listings) }
        return (listings, true)
    }

    private func finish(_ assembly: ListingAssembly, _ listings: inout [ArchivedListing]) {
        if let listing = assembly.listing { listings.append(listing) }
        if assembly.isDamaged { noteDamage("the listing of a folder") }
    }
}
