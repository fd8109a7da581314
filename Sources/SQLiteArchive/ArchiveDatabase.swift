import BlockCache
import GRDB
import GRDBSQLite
import Logging
import SystemPackage

/// The database file: how it is opened, and what is in it.
///
/// One table has a row for every block of every listing; a row's number tells its age, since a listing that comes again gets
/// new ones. Two connections: with a write-ahead log (sqlite.org/wal.html), readers and the writer don't wait for each other.
struct ArchiveDatabase: Sendable {
    let writer: DatabaseQueue
    let reader: DatabaseQueue
    /// Which file it is, should it have to be set aside.
    let file: UInt64?

    /// "trac": says in the file's header whose it is (PRAGMA application_id).
    private static let applicationID = 0x7472_6163
    /// To be raised with every change of the tables, or of what a checksum is made of.
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

    /// For a process that holds the lock for one transaction, in seconds. Nobody at a terminal waits for it.
    private static let writerPatience = 1.0
    /// A reader waits only where another process opens, closes or repairs the file.
    private static let readerPatience = 0.05
    /// How often to look whether another process, which opens the file just now as well, has done so.
    private static let openingTryCount = 5

    /// What a connection may keep in memory of the file, in KiB: the inner nodes, and what a batch touches.
    private static let writerCacheKiB = 2 << 10
    private static let readerCacheKiB = 1 << 10
    /// A block of a page of 1,000 keys takes some 60 KiB; most folders take less than one of these.
    private static let pageByteCount = 4 << 10
    /// The log is brought into the file when it has so many pages, and cut off behind that.
    private static let logPageCount = 1_000

    /// Opens the database in `folder`, or makes it. What is no database of ours is set aside, with one warning.
    init(in folder: ListingFolder, logger: Logger) throws(ArchiveError) {
        let file = folder.databaseFile()
        do throws(ArchiveError) {
            try self.init(connecting: folder)
        } catch .unusable(let reason) {
            try ArchiveDatabase.setAside(file, in: folder)
            logger.warning(
                "the listings in \(folder.database) can't be used (\(reason)): moved to \(folder.aside), and begun anew"
            )
            try self.init(connecting: folder)
        }
    }

    /// Gives the file another name.
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
                // SQLite doesn't wait for everything that two processes do at a new file.
                tryIndex += 1
            }
        }
        reader = try ArchiveError.rethrown {
            var configuration = ArchiveDatabase.configuration(
                "listings (reader)", patience: ArchiveDatabase.readerPatience,
                cacheKiB: ArchiveDatabase.readerCacheKiB)
            configuration.readonly = true
            return try DatabaseQueue(path: path, configuration: configuration)
        }
        file = folder.databaseFile()
    }

    /// Closes the file.
    func close() {
        // The writer last: it brings the log into the file. What can't be closed is closed with the process.
        try? reader.close()
        try? writer.close()
    }

    private static func openWriter(_ path: String) throws(ArchiveError) -> DatabaseQueue {
        try ArchiveError.rethrown {
            let configuration = configuration("listings (writer)", patience: writerPatience, cacheKiB: writerCacheKiB)
            let writer = try DatabaseQueue(path: path, configuration: configuration)
            try writer.inDatabase { database in
                // Nothing is changed in what is somebody else's.
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

    private static func configuration(_ label: String, patience: Double, cacheKiB: Int) -> Configuration {
        var configuration = Configuration()
        configuration.label = label
        configuration.busyMode = .timeout(patience)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { database in
            // The log stays when the file is closed. Whoever removed it by its name might take the one of a new file,
            // where somebody has taken the old one away meanwhile.
            var isPersistent: CInt = 1
            sqlite3_file_control(database.sqliteConnection, nil, SQLITE_FCNTL_PERSIST_WAL, &isPersistent)
            // Nothing of the file is mapped: somebody may cut it off.
            try database.execute(sql: "PRAGMA cache_size = -\(cacheKiB); PRAGMA mmap_size = 0")
        }
        return configuration
    }

    /// Whether nothing is in the file. Throws where what is in it isn't ours.
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
        // A disk without shared memory, or one that is read-only now and had no log before.
        guard mode == "wal" else { throw ArchiveError.disk(.notSupported) }
        // NORMAL: the disk is waited for only when the log is brought into the file, by our own thread. With OFF a power
        // failure could cost all that was ever listed.
        try database.execute(
            sql: """
                PRAGMA synchronous = NORMAL;
                PRAGMA wal_autocheckpoint = \(logPageCount);
                PRAGMA journal_size_limit = \(logPageCount * pageByteCount)
                """)
    }

    private static func makeTables(in database: Database) throws {
        try database.inTransaction(.immediate) {
            // Another process may have been faster.
            if try isNew(database) {
                try database.execute(sql: tables)
                try database.execute(
                    sql: "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(format)")
            }
            return .commit
        }
    }
}
