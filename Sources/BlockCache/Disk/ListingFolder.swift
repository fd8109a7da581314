import Glibc
public import SystemPackage

/// The folder `listings` of a cache directory: where what was listed is kept, in one database that all processes share.
///
/// Whoever uses the database holds the folder's lock (flock(2)) shared, as long as this instance lives. So whoever gets it
/// exclusively is alone, and may take the files away: SQLite finds its files by their names, and would take those of a new
/// database for the old one's.
public final class ListingFolder: Sendable {
    private static let name = "listings"
    private static let databaseName = "listings.db"
    /// What SQLite puts beside a database (sqlite.org/tempfiles.html).
    private static let companionSuffixes = ["-wal", "-shm", "-journal"]
    private static let asideName = databaseName + ".damaged"

    /// How long to wait for whoever holds the lock exclusively: for a few removals.
    private static let patience: Duration = .seconds(1)

    /// Where the database is, or would be.
    public let database: FilePath
    /// Where a damaged one is put; at most one is kept.
    public let aside: FilePath
    private let parent: CacheDirectory
    private let folder: LocalFile
    private let health: DiskHealth

    /// The folder in `directory`.
    init(in directory: CacheDirectory, health: DiskHealth, isMade: Bool) throws(Errno) {
        if isMade { try directory.root.makeDirectory(ListingFolder.name) }
        parent = directory
        folder = try LocalFile(ListingFolder.name, in: directory.root, O_RDONLY | O_DIRECTORY)
        let path = directory.path.appending(ListingFolder.name)
        database = path.appending(ListingFolder.databaseName)
        aside = path.appending(ListingFolder.asideName)
        self.health = health
        guard folder.lock(.shared, patience: ListingFolder.patience) else { throw .resourceTemporarilyUnavailable }
    }

    /// What all of it takes on the disk in the cache directory `root`, in bytes; 0 where there is none.
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

    /// Which file the database is now (its inode); `nil` if there is none.
    public func databaseFile() -> UInt64? {
        try? folder.status(of: ListingFolder.databaseName)?.inode
    }

    /// What all of it takes on the disk, in bytes, about.
    public var allocatedByteCount: Int {
        (try? ListingFolder.allocatedByteCount(in: parent.root)) ?? 0
    }

    // MARK: The disk

    /// Whether `byteCount` bytes more may be written now: the disk works, and what must stay free on it does.
    public func mayGrow(by byteCount: Int) -> Bool {
        health.mayStore && (try? DiskSpace.hasRoom(for: byteCount, in: folder)) ?? false
    }

    /// Writing failed, which is told as for the rest of the cache: once. Nothing is to be written for a while.
    public func noteFailure(_ errno: Errno) {
        health.noteFailure(errno)
    }

    /// Something is not what was written, which is told as for the rest of the cache: once.
    public func noteDamage(_ what: String) {
        health.noteDamage(what)
    }

    // MARK: Taking files away

    /// Gives the database a name that nobody opens it by, if no other process uses it. Nobody in this one may.
    ///
    /// - Parameter file: Which file it is, as `databaseFile` told; another one stays.
    /// - Returns: Whether the file has its name no longer.
    public func setAside(_ file: UInt64?) throws(Errno) -> Bool {
        try alone(patience: ListingFolder.patience) { () throws(Errno) in
            guard databaseFile() == file else { return }
            try removeCompanions()
            try folder.rename(ListingFolder.databaseName, to: ListingFolder.asideName)
        }
    }

    /// Removes all files of ours, if no other process uses the database. Nobody in this one may.
    ///
    /// - Returns: Whether they are gone.
    public func removeFiles() throws(Errno) -> Bool {
        try alone(patience: .zero) { () throws(Errno) in
            try removeCompanions()
            try folder.unlink(ListingFolder.databaseName)
            try folder.unlink(ListingFolder.asideName)
        }
    }

    private func removeCompanions() throws(Errno) {
        for suffix in ListingFolder.companionSuffixes { try folder.unlink(ListingFolder.databaseName + suffix) }
    }

    /// Calls `body` while nobody else uses the database.
    ///
    /// - Returns: `false` if somebody does.
    private func alone(patience: Duration, _ body: () throws(Errno) -> Void) throws(Errno) -> Bool {
        // While this waits it has no lock at all, so that of two processes that want to be alone one gets its turn. Both
        // then look which file is there.
        guard folder.lock(.exclusive, patience: patience) else {
            _ = folder.lock(.shared, patience: ListingFolder.patience)
            return false
        }
        defer { _ = folder.lock(.shared) }
        try body()
        return true
    }
}
