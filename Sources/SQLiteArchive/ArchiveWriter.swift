import Foundation
import GRDB
import Namespace
import ObjectStore
import SystemSupport

/// The changes to the database.
struct ArchiveWriter: Sendable {
    /// The endpoint and the bucket of the listings.
    let source: String
    let database: DatabaseQueue

    /// Returns the sources that have stored listings.
    static func sources(in database: DatabaseQueue) throws(ArchiveError) -> [String] {
        try ArchiveError.rethrown {
            try database.inDatabase { try String.fetchAll($0, sql: "SELECT CAST(identity AS TEXT) FROM source") }
        }
    }

    // MARK: Storing

    /// Writes these listings in one transaction. Each replaces older listings of its directory.
    func store(_ listings: [ArchivedListing]) throws(ArchiveError) {
        try ArchiveError.rethrown {
            try database.inDatabase { database in
                // Locked for writing from the start: a transaction that began as a read fails if another process wrote
                // first.
                try database.inTransaction(.immediate) {
                    let sourceID = try sourceID(in: database)
                    for listing in listings { try store(listing, sourceID, database) }
                    return .commit
                }
            }
        }
    }

    private func sourceID(in database: Database) throws -> Int64 {
        try database.cachedStatement(sql: "INSERT OR IGNORE INTO source (identity) VALUES (?)")
            .execute(arguments: [source])
        let statement = try database.cachedStatement(sql: "SELECT id FROM source WHERE identity = ?")
        guard let id = try Int64.fetchOne(statement, arguments: [source]) else {
            throw ArchiveError.unusable("its sources can't be read")
        }
        return id
    }

    private func store(_ listing: ArchivedListing, _ sourceID: Int64, _ database: Database) throws {
        guard let listedAt = listing.listedAt.nanosecondsSinceEpoch else { return }
        let prefix = Data(listing.prefix.bytes)
        let stored = try Int64.fetchOne(
            database.cachedStatement(
                sql: "SELECT listed_at FROM listing WHERE source = ? AND prefix = ? ORDER BY part LIMIT 1"),
            arguments: [sourceID, prefix])
        if let stored {
            // A listing from the future was stored before the clock was corrected.
            if stored > listedAt, Timestamp(nanosecondsSinceEpoch: stored) <= .now { return }
            try database.cachedStatement(sql: "DELETE FROM listing WHERE source = ? AND prefix = ?")
                .execute(arguments: [sourceID, prefix])
        }
        let insertion = try database.cachedStatement(
            sql: """
                INSERT INTO listing (source, prefix, part, part_count, listed_at, checksum, content)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """)
        // A listing without blocks, of an empty directory, has a row too.
        for part in 0..<max(listing.blockCount, 1) {
            let content = listing.blockCount == 0 ? [] : listing.block(at: part)
            let proof = RowProof(
                source: source, prefix: listing.prefix, part: part, partCount: listing.blockCount, listedAt: listedAt)
            let checksum = content.withUnsafeBytes { proof.checksum($0) }
            try insertion.execute(
                arguments: [sourceID, prefix, part, listing.blockCount, listedAt, checksum, Data(content)])
        }
    }

    // MARK: Forgetting

    /// The number of rows removed per transaction, so that other processes get their turn.
    private static let removalCount = 4_096

    /// Removes the listings of all directories whose prefix is in `prefixes`.
    ///
    /// - Returns: The number of rows removed.
    @discardableResult
    func forget(_ prefixes: KeyInterval) throws(ArchiveError) -> Int {
        var sql = "source = (SELECT id FROM source WHERE identity = ?) AND prefix >= ?"
        var arguments: StatementArguments = [source, Data(prefixes.lower.bytes)]
        if let end = prefixes.upper {
            sql += " AND prefix < ?"
            arguments += [Data(end.bytes)]
        }
        return try remove(where: sql, arguments)
    }

    /// Removes the rows that match `condition`.
    private func remove(where condition: String, _ arguments: StatementArguments) throws(ArchiveError) -> Int {
        var count = 0
        while true {
            let removedCount = try ArchiveError.rethrown {
                try database.inDatabase { database in
                    try database.cachedStatement(
                        sql: """
                            DELETE FROM listing WHERE id IN
                            (SELECT id FROM listing WHERE \(condition) LIMIT \(ArchiveWriter.removalCount))
                            """
                    ).execute(arguments: arguments)
                    return database.changesCount
                }
            }
            count += removedCount
            if removedCount < ArchiveWriter.removalCount { return count }
        }
    }

    // MARK: Room

    /// Removes the oldest listings if all listings, of all sources, exceed `byteLimit`, until they use an eighth less.
    func makeRoom(byteLimit: Int) throws(ArchiveError) {
        guard try byteCount() > byteLimit else { return }
        while try byteCount() > byteLimit / 8 * 7 {
            guard try removeOldest() > 0 else { return }
        }
    }

    /// Removes the oldest sixteenth of the rows, as far as one transaction goes.
    ///
    /// - Returns: The number of rows removed.
    private func removeOldest() throws(ArchiveError) -> Int {
        try ArchiveError.rethrown {
            try database.inDatabase { database in
                // This may remove only some blocks of a listing; the incomplete rest isn't used, and is removed next.
                try database.cachedStatement(
                    sql: """
                        DELETE FROM listing WHERE id < (SELECT min(id) FROM listing)
                            + min(max(((SELECT max(id) FROM listing) - (SELECT min(id) FROM listing)) / 16, 1), ?)
                        """
                ).execute(arguments: [ArchiveWriter.removalCount])
                return database.changesCount
            }
        }
    }

    /// Returns the size of the listings in the file, in bytes.
    func byteCount() throws(ArchiveError) -> Int {
        try ArchiveError.rethrown {
            try database.inDatabase { database in
                func number(_ pragma: String) throws -> Int {
                    try Int.fetchOne(database, sql: "PRAGMA \(pragma)") ?? 0
                }
                return try (number("page_count") - number("freelist_count")) * number("page_size")
            }
        }
    }

    /// Returns the free space in the file of `database` to the file system.
    static func shrink(_ database: DatabaseQueue) throws(ArchiveError) {
        try ArchiveError.rethrown {
            try database.inDatabase { database in
                // The pragma frees one page per step, and `execute` takes one step only.
                let pages = try Row.fetchCursor(database, sql: "PRAGMA incremental_vacuum")
                while try pages.next() != nil {}
                try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
            }
        }
    }
}
