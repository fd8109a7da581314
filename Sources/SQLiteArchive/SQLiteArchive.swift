public import BlockCache
public import Logging
public import Namespace
public import ObjectStore
import Synchronization
import SystemSupport

/// Listings in a database in the cache directory. They outlive the process and are shared with other processes.
///
/// **Parts.** `ArchiveQueue` holds pending writes; one thread of our own drains it through the `ArchiveWriter`. The
/// `ArchiveReader` reads on the calling threads, some listings ahead. Both have their own connection to the
/// `ArchiveDatabase`, so that neither waits for the other.
///
/// **Trust.** Each row has a checksum of its content and identity (`RowProof`). A row with a wrong checksum counts as
/// missing.
///
/// **Never in the way.** A full or failing disk suspends writing for a while, as for the rest of the cache
/// (`ListingFolder`). A file that SQLite can't process turns the archive off, with one warning; the next mount begins a
/// new one.
public final class SQLiteArchive: ListingArchive {
    private let folder: ListingFolder
    private let database: ArchiveDatabase
    private let writer: ArchiveWriter
    private let reader: ArchiveReader
    private let queue: ArchiveQueue
    private let byteLimit: Int
    private let logger: Logger
    /// `true` if the archive is off: no reads, no writes.
    private let isOff = Atomic(false)
    /// `true` if it is off because of the file's contents.
    private let isDamaged = Atomic(false)
    private let hasToldOfLock = Atomic(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Opens the archive in `folder`, and starts its thread. `shutdown` ends it.
    ///
    /// - Parameters:
    ///   - source: The endpoint and the bucket of the keys.
    ///   - byteLimit: The disk space for listings, including those of other buckets.
    ///   - queueByteLimit: The memory limit of pending writes.
    ///   - logger: The log for problems.
    public init(
        in folder: ListingFolder, source: String, byteLimit: Int, queueByteLimit: Int, logger: Logger
    ) throws(ArchiveError) {
        self.folder = folder
        self.byteLimit = byteLimit
        self.logger = logger
        database = try ArchiveDatabase(in: folder, logger: logger)
        writer = ArchiveWriter(source: source, database: database.writer)
        reader = ArchiveReader(source: source, database: database.reader) { folder.noteDamage($0) }
        queue = ArchiveQueue(byteLimit: queueByteLimit)
        let started = WorkerThread { self.work() }
        thread.withLock { $0 = started }
    }

    // MARK: For listing requests

    /// Returns the newest stored listing of the directory `prefix`. At most reads the disk; never waits for the writer.
    public func listing(_ prefix: Key) -> ArchivedListing? {
        guard !isOff.load(ordering: .relaxed), let forgetCount = queue.forgetCount(unlessDoomed: prefix) else {
            return nil
        }
        do throws(ArchiveError) {
            return try reader.listing(prefix, forgetCount: forgetCount)
        } catch .busy {
            return nil
        } catch {
            turnOff(error)
            return nil
        }
    }

    /// Queues a listing for storage: a lock and an append.
    public func keep(_ listing: ArchivedListing) {
        if !isOff.load(ordering: .relaxed) { queue.enqueue(listing) }
    }

    /// Forgets the listings of `prefixes`: at once for `listing`, shortly after on the disk.
    public func forget(_ prefixes: KeyInterval) {
        queue.forget(prefixes)
    }

    /// Writes the queue if that is quick, and ends the thread.
    public func shutdown() {
        queue.end()
        thread.withLock { $0.take() }?.join()
    }

    /// Waits until all queued work is done or dropped. For tests.
    func waitUntilDone() {
        queue.waitUntilDone()
    }

    // MARK: On the thread

    private func work() {
        while true {
            switch queue.next() {
            case .store(let listings):
                store(listings)
                queue.finish()
            case .forget(let prefixes):
                queue.finish(isForgotten: remove(prefixes))
            case .end:
                isOff.store(true, ordering: .relaxed)
                end()
                return
            }
        }
    }

    private func end() {
        database.close()
        // So that the next mount begins a new database without another warning. Other processes detect the damage
        // themselves.
        if isDamaged.load(ordering: .relaxed) { try? ArchiveDatabase.setAside(database.file, in: folder) }
    }

    private func store(_ listings: [ArchivedListing]) {
        let byteCount = listings.reduce(0) { $0 + $1.byteCount }
        guard !isOff.load(ordering: .relaxed), folder.mayGrow(by: byteCount) else { return }
        do throws(ArchiveError) {
            try writer.store(listings)
            try writer.makeRoom(byteLimit: byteLimit)
        } catch {
            take(error)
        }
    }

    /// Removes the listings of these prefixes. Returns `false` if it must be retried.
    private func remove(_ prefixes: KeyInterval) -> Bool {
        if isOff.load(ordering: .relaxed) { return true }
        do throws(ArchiveError) {
            try writer.forget(prefixes)
            return true
        } catch .busy {
            return false
        } catch {
            // Forgotten listings must not be found again.
            turnOff(error)
            return true
        }
    }

    private func take(_ error: ArchiveError) {
        switch error {
        case .busy:
            let isFirst = !hasToldOfLock.exchange(true, ordering: .relaxed)
            logger.log(
                level: isFirst ? .warning : .debug,
                "cannot store listings in \(folder.database): another process has locked it")
        case .disk(let errno): folder.noteFailure(errno)
        case .unusable: turnOff(error)
        }
    }

    /// Turns the archive off after a fatal error: no reads or writes from now on.
    private func turnOff(_ error: ArchiveError) {
        if case .unusable = error { isDamaged.store(true, ordering: .relaxed) }
        guard !isOff.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            "cannot use the listings in \(folder.database) any more (\(error)); folders are listed again")
    }
}
