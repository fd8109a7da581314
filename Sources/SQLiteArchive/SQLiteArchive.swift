public import BlockCache
public import Logging
public import Namespace
public import ObjectStore
import Synchronization
import SystemSupport

/// Listings in a database in the cache directory, which outlive the process and are shared with others.
///
/// **Parts.** `KeepQueue` is what is to be written; one thread of our own empties it through the `ArchiveWriter`. The
/// `ArchiveReader` reads, on the threads that ask, some listings ahead. Both have a connection of their own to the
/// `ArchiveDatabase`, so that neither waits for the other.
///
/// **Trust.** Each row has a checksum of what it is and whose (`RowProof`). What doesn't prove right is not there.
///
/// **Never in the way.** A full or failing disk stops writing for a while, as for the rest of the cache (`ListingFolder`).
/// What SQLite can't make sense of turns the archive off, with one warning; the next mount begins a new one.
public final class SQLiteArchive: ListingArchive {
    private let folder: ListingFolder
    private let database: ArchiveDatabase
    private let writer: ArchiveWriter
    private let reader: ArchiveReader
    private let queue: KeepQueue
    private let byteLimit: Int
    private let logger: Logger
    /// Nothing is read or written any more.
    private let isOff = Atomic(false)
    /// Whether that is because of what the file holds.
    private let isDamaged = Atomic(false)
    private let hasToldOfLock = Atomic(false)
    private let thread = Mutex<WorkerThread?>(nil)

    /// Opens the archive in `folder`, and starts its thread. `shutdown` ends it.
    ///
    /// - Parameters:
    ///   - source: The endpoint and the bucket: whose keys these are.
    ///   - byteLimit: What listings may take on the disk, those of other buckets included.
    ///   - queueByteLimit: How much memory may be kept by what is still to be written.
    ///   - logger: Where trouble is told.
    public init(
        in folder: ListingFolder, source: String, byteLimit: Int, queueByteLimit: Int, logger: Logger
    ) throws(ArchiveError) {
        self.folder = folder
        self.byteLimit = byteLimit
        self.logger = logger
        database = try ArchiveDatabase(in: folder, logger: logger)
        writer = ArchiveWriter(source: source, database: database.writer)
        reader = ArchiveReader(source: source, database: database.reader) { folder.noteDamage($0) }
        queue = KeepQueue(byteLimit: queueByteLimit)
        let started = WorkerThread { self.work() }
        thread.withLock { $0 = started }
    }

    // MARK: For whoever lists

    /// The newest listing of the directory `prefix` that is kept. Reads from the disk at the most; never waits for the writer.
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

    /// Queues a listing to be kept: a lock and an append.
    public func keep(_ listing: ArchivedListing) {
        if !isOff.load(ordering: .relaxed) { queue.keep(listing) }
    }

    /// Forgets the listings of `prefixes`: at once for `listing`, a little later on the disk.
    public func forget(_ prefixes: KeyInterval) {
        queue.forget(prefixes)
    }

    /// Writes what is queued if that is quick, and ends the thread.
    public func shutdown() {
        queue.end()
        thread.withLock { $0.take() }?.join()
    }

    /// Waits until all that was to be kept or forgotten is, or was dropped. For tests.
    func waitUntilDone() {
        queue.waitUntilDone()
    }

    // MARK: On the thread

    private func work() {
        while true {
            switch queue.next() {
            case .keep(let listings):
                keep(listings)
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
        // So that the next mount begins anew, without another warning. Others who use the file find out by themselves.
        if isDamaged.load(ordering: .relaxed) { try? ArchiveDatabase.setAside(database.file, in: folder) }
    }

    private func keep(_ listings: [ArchivedListing]) {
        let byteCount = listings.reduce(0) { $0 + $1.byteCount }
        guard !isOff.load(ordering: .relaxed), folder.mayGrow(by: byteCount) else { return }
        do throws(ArchiveError) {
            try writer.keep(listings)
            try writer.makeRoom(byteLimit: byteLimit)
        } catch {
            take(error)
        }
    }

    /// - Returns: Whether it need not be tried again.
    private func remove(_ prefixes: KeyInterval) -> Bool {
        if isOff.load(ordering: .relaxed) { return true }
        do throws(ArchiveError) {
            try writer.forget(prefixes)
            return true
        } catch .busy {
            return false
        } catch {
            // What can't be forgotten must not be found again.
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
                "listings can't be kept in \(folder.database): another process has locked it")
        case .disk(let errno): folder.noteFailure(errno)
        case .unusable: turnOff(error)
        }
    }

    /// The archive is no good: nothing is read or written from now on.
    private func turnOff(_ error: ArchiveError) {
        if case .unusable = error { isDamaged.store(true, ordering: .relaxed) }
        guard !isOff.exchange(true, ordering: .relaxed) else { return }
        logger.warning(
            "the listings kept in \(folder.database) can't be used any more (\(error)): folders are listed anew")
    }
}
