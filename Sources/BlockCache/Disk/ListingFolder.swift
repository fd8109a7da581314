import Glibc
public import SystemPackage

/// The folder `listings` of a cache directory. It stores listings in one database that all processes share.
///
/// A user of the database holds the folder's lock (flock(2)) shared while this instance lives. So a process that gets
/// the lock exclusively is alone and may remove the files: SQLite finds its files by name, and would mistake those of a
/// new database for the old one's.
public final class ListingFolder: Sendable {
    private static let name = "listings"
    private static let databaseName = "listings.db"
    /// The suffixes of SQLite's files beside a database (sqlite.org/tempfiles.html).
    private static let companionSuffixes = ["-wal", "-shm", "-journal"]
    private static let asideName = databaseName + ".damaged"

    /// The lock timeout: an exclusive holder only removes a few files.
    private static let lockTimeout: Duration = .seconds(1)

    /// The path of the database, whether or not it exists.
    public let database: FilePath
    /// The path for a damaged database; at most one is retained.
    public let aside: FilePath
    private let parent: CacheDirectory
    private let folder: LocalFile
    private let health: DiskHealth

    /// Opens the folder in `directory`.
    init(in directory: CacheDirectory, health: DiskHealth, isMade: Bool) throws(Errno) {
        if isMade { try directory.root.makeDirectory(ListingFolder.name) }
        parent = directory
        folder = try LocalFile(ListingFolder.name, in: directory.root, O_RDONLY | O_DIRECTORY)
        let path = directory.path.appending(ListingFolder.name)
        database = path.appending(ListingFolder.databaseName)
        aside = path.appending(ListingFolder.asideName)
        self.health = health
        guard folder.lock(.shared, timeout: ListingFolder.lockTimeout) else { throw .resourceTemporarilyUnavailable }
    }

    /// Returns the disk usage of the folder in the cache directory `root`, in bytes; 0 if it is missing.
    static func allocatedByteCount(in root: LocalFile) throws(Errno) -> Int {
        let folder: LocalFile
        do throws(Errno) {
            folder = try LocalFile(name, in: root, O_RDONLY | O_DIRECTORY)
        } catch .noSuchFileOrDirectory {
            return 0
        }
        var byteCount = try folder.status().allocatedByteCount
        for name in try folder.names() { byteCount += try folder.status(of: name)?.allocatedByteCount ?? 0 }
        return byteCount
    }

    /// Returns the inode number of the current database; `nil` if it is missing.
    public func databaseFile() -> UInt64? {
        try? folder.status(of: ListingFolder.databaseName)?.inode
    }

    /// The approximate disk usage of the folder, in bytes.
    public var allocatedByteCount: Int {
        (try? ListingFolder.allocatedByteCount(in: parent.root)) ?? 0
    }

    // MARK: The disk

    /// Returns `true` if `byteCount` more bytes may be written now: the disk works, and its free floor stays intact.
    public func mayGrow(by byteCount: Int) -> Bool {
        health.mayStore && (try? DiskSpace.hasRoom(for: byteCount, in: folder)) ?? false
    }

    /// Records a failed write, which is logged once for the whole cache and suspends writing for a while.
    public func noteFailure(_ errno: Errno) {
        health.noteFailure(errno)
    }

    /// Records damage, which is logged once for the whole cache.
    public func noteDamage(_ what: String) {
        health.noteDamage(what)
    }

    // MARK: Removing files

    /// Renames the database out of the way if no other process uses it. This process must not use it either.
    ///
    /// - Parameter file: The inode number from `databaseFile`; another file stays.
    /// - Returns: `true` if the file no longer has its name.
    public func setAside(_ file: UInt64?) throws(Errno) -> Bool {
        try alone(timeout: ListingFolder.lockTimeout) { () throws(Errno) in
            guard databaseFile() == file else { return }
            try removeCompanions()
            try folder.rename(ListingFolder.databaseName, to: ListingFolder.asideName)
        }
    }

    /// Removes all files of the folder if no other process uses the database. This process must not use it either.
    ///
    /// - Returns: `true` if they are gone.
    public func removeFiles() throws(Errno) -> Bool {
        try alone(timeout: .zero) { () throws(Errno) in
            try removeCompanions()
            try folder.unlink(ListingFolder.databaseName)
            try folder.unlink(ListingFolder.asideName)
        }
    }

    private func removeCompanions() throws(Errno) {
        for suffix in ListingFolder.companionSuffixes { try folder.unlink(ListingFolder.databaseName + suffix) }
    }

    /// Calls `body` while no other process uses the database.
    ///
    /// - Returns: `false` if another process uses it.
    private func alone(timeout: Duration, _ body: () throws(Errno) -> Void) throws(Errno) -> Bool {
        // This waits without holding any lock, so that of two processes that want exclusive access one gets it. Both
        // then check which file is there.
        guard folder.lock(.exclusive, timeout: timeout) else {
            _ = folder.lock(.shared, timeout: ListingFolder.lockTimeout)
            return false
        }
        defer { _ = folder.lock(.shared) }
        try body()
        return true
    }
}
