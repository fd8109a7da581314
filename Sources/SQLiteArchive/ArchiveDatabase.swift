import BlockCache
import GRDB
import GRDBSQLite
import Logging
import SystemPackage

/// The database file: how it is opened, and its schema.
///
/// One table has a row for every block of every listing. Row numbers order rows by age, since a listing that is stored
/// again gets new ones. There are two connections: with a write-ahead log (sqlite.org/wal.html), readers and the writer
/// don't wait for each other.
struct ArchiveDatabase: Sendable {
    let writer: DatabaseQueue
    let reader: DatabaseQueue
    /// The identity of the file, for setting it aside.
    let file: UInt64?

    /// "trac": marks the file as ours in its header (PRAGMA application_id).
    private static let applicationID = 0x7472_6163
    /// The format number. Raise it with every change of the tables, or of the input of a checksum.
    private static let format = 1

    private static let tables = """
        CREATE TABLE source (
            id INTEGER PRIMARY KEY,
            identity TEXT NOT NULL UNIQUE
        );
        CREATE TABLE listing (
            id INTEGER PRIMARY KEY,
            source INTEGER NOT NULL,
            prefix BLOB NOT NULL,
            part INTEGER NOT NULL,
            part_count INTEGER NOT NULL,
            listed_at INTEGER NOT NULL,
            checksum INTEGER NOT NULL,
            content BLOB NOT NULL
        );
        CREATE UNIQUE INDEX listing_place ON listing (source, prefix, part);
        """

    /// The writer's lock timeout, in seconds: another process holds the lock for one transaction. No user waits for it.
    private static let writerTimeoutSeconds = 1.0
    /// The reader's lock timeout, in seconds. A reader waits only while another process opens, closes or repairs the
    /// file.
    private static let readerTimeoutSeconds = 0.05
    /// The number of tries to open a file that another process is opening as well.
    private static let openingTryCount = 5

    /// The memory for cached pages of a connection, in KiB: the inner nodes, and the pages of a batch.
    private static let writerCacheKiB = 2 << 10
    private static let readerCacheKiB = 1 << 10
    /// The page size. A block of a page of 1,000 keys uses some 60 KiB; most folders use less than one page.
    private static let pageByteCount = 4 << 10
    /// The number of pages at which the log is checkpointed and then truncated.
    private static let logPageCount = 1_000

    /// Opens or creates the database in `folder`. Sets a foreign or invalid file aside, with one warning.
    init(in folder: ListingFolder, logger: Logger) throws(ArchiveError) {
        let file = folder.databaseFile()
        do throws(ArchiveError) {
            try self.init(connecting: folder)
        } catch .unusable(let reason) {
            try ArchiveDatabase.setAside(file, in: folder)
            logger.warning(
                "cannot use the listings in \(folder.database) (\(reason)); moved to \(folder.aside), and starting anew"
            )
            try self.init(connecting: folder)
        }
    }

    /// Renames the file out of the way.
    static func setAside(_ file: UInt64?, in folder: ListingFolder) throws(ArchiveError) {
        let isAside: Bool
        do {
            isAside = try folder.setAside(file)
        } catch {
            throw .disk(error)
        }
        if !isAside { throw .unusable("it is damaged, and another mount uses it") }
    }

    private init(connecting folder: ListingFolder) throws(ArchiveError) {
        let path = folder.database.string
        var tryIndex = 0
        while true {
            do throws(ArchiveError) {
                writer = try ArchiveDatabase.openWriter(path)
                break
            } catch .busy where tryIndex < ArchiveDatabase.openingTryCount {
                // SQLite's timeout doesn't cover everything that two processes do to a new file.
                tryIndex += 1
            }
        }
        reader = try ArchiveError.rethrown {
            var configuration = ArchiveDatabase.configuration(
                "listings (reader)", timeoutSeconds: ArchiveDatabase.readerTimeoutSeconds,
                cacheKiB: ArchiveDatabase.readerCacheKiB)
            configuration.readonly = true
            return try DatabaseQueue(path: path, configuration: configuration)
        }
        file = folder.databaseFile()
    }

    /// Closes the file.
    func close() {
        // The writer last: it checkpoints the log. If closing fails, the process's end closes the file.
        try? reader.close()
        try? writer.close()
    }

    private static func openWriter(_ path: String) throws(ArchiveError) -> DatabaseQueue {
        try ArchiveError.rethrown {
            let configuration = configuration(
                "listings (writer)", timeoutSeconds: writerTimeoutSeconds, cacheKiB: writerCacheKiB)
            let writer = try DatabaseQueue(path: path, configuration: configuration)
            try writer.inDatabase { database in
                // A file of another program is not changed.
                let isNew = try isNew(database)
                if isNew {
                    try database.execute(
                        sql: "PRAGMA page_size = \(pageByteCount); PRAGMA auto_vacuum = INCREMENTAL")
                }
                try beginLogging(database)
                if isNew { try makeTables(in: database) }
            }
            return writer
        }
    }

    private static func configuration(_ label: String, timeoutSeconds: Double, cacheKiB: Int) -> Configuration {
        var configuration = Configuration()
        configuration.label = label
        configuration.busyMode = .timeout(timeoutSeconds)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { database in
            // Keep the log when the file is closed. Removing the log by name could remove the log of a new database, if
            // another process has replaced the old one meanwhile.
            var isPersistent: CInt = 1
            sqlite3_file_control(database.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &isPersistent)
            // The file is never mapped: another process may truncate it.
            try database.execute(sql: "PRAGMA cache_size = -\(cacheKiB); PRAGMA mmap_size = 0")
        }
        return configuration
    }

    /// Returns `true` if the file is empty. Throws if its contents aren't ours.
    private static func isNew(_ database: Database) throws -> Bool {
        let application = try Int.fetchOne(database, sql: "PRAGMA application_id") ?? 0
        let format = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
        if application == applicationID, format == ArchiveDatabase.format { return false }
        let tableCount = try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") ?? 0
        if application == 0, tableCount == 0 { return true }
        throw ArchiveError.unusable(
            application == applicationID ? "it is of another version of tractfs" : "it is another program's")
    }

    private static func beginLogging(_ database: Database) throws {
        let mode = try String.fetchOne(database, sql: "PRAGMA journal_mode = WAL")
        // A disk without shared memory, or a read-only disk without an existing log.
        guard mode == "wal" else { throw ArchiveError.disk(.notSupported) }
        // NORMAL: only checkpoints wait for the disk, on our own thread. With OFF, a power failure could destroy all
        // listings.
        try database.execute(
            sql: """
                PRAGMA synchronous = NORMAL;
                PRAGMA wal_autocheckpoint = \(logPageCount);
                PRAGMA journal_size_limit = \(logPageCount * pageByteCount)
                """)
    }

    private static func makeTables(in database: Database) throws {
        try database.inTransaction(.immediate) {
            // Another process may have created the tables first.
            if try isNew(database) {
                try database.execute(sql: tables)
                try database.execute(
                    sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(format)")
            }
            return .commit
        }
    }
}
