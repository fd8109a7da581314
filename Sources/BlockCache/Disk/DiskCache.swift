public import Logging
public import ObjectStore
import Synchronization
public import SystemPackage

/// Blocks of object versions on the local disk, which outlive the process and are shared with others that use the same
/// directory at the same time.
///
/// **Parts.** A `DiskObject` is one version of one object; it knows its `ObjectFiles`, of which the `CacheDirectory` has
/// many. One `DiskWriter` writes what readers have fetched, behind them; `IOThreads` read. `DiskSpace` says how much may be
/// written, and has an `Eviction` make room; `DiskUsage` is how much there is, in a number that all processes share.
///
/// **Trust.** Nothing is believed because it is there. Every block that is read is checked against its checksum, so a process
/// may be killed anywhere, the machine may lose power, and somebody may do what they like to the files: what is
/// wrong is dropped, told once, and fetched again. A file that is handed over as a whole (`CompleteFile`) was checked as a
/// whole, and a `SealRecord` proves that nobody has written to it since.
///
/// **Never in the way.** No reader waits for a write: what can't be queued is dropped. Whatever the disk does, storing stops for
/// a minute (`DiskHealth`), and what is readable stays in use.
///
/// Locks: a `DiskObject`'s state, an `ObjectFiles`' own writes and the queues are never held together, but for the file locks
/// within the second one. Nothing is called out to under any of them.
public final class DiskCache: Sendable {
    /// The least that works: a cache this small holds a few files of a few MiB.
    public static let minimumByteLimit = 16 << 20

    let source: String
    let space: DiskSpace
    let health: DiskHealth
    let writer: DiskWriter
    let ioThreads: IOThreads
    /// Called when blocks were let go of.
    let didRelease: @Sendable () -> Void
    private let current: Mutex<CacheDirectory>

    /// Opens the cache in a directory, and starts its threads. `shutdown` ends them.
    ///
    /// - Parameters:
    ///   - path: The directory; made if there is none.
    ///   - byteLimit: What the cache may take on the disk, by whichever process, in bytes.
    ///   - source: The endpoint and the bucket: whose keys these are.
    ///   - queueByteLimit: How much memory blocks may keep that wait to be written, in bytes.
    ///   - didRelease: Called under no lock when blocks that were stored or completed have been let go of.
    ///   - logger: Where trouble is told.
    public init(
        directory path: FilePath, byteLimit: Int, source: String, queueByteLimit: Int,
        didRelease: @escaping @Sendable () -> Void = {}, logger: Logger
    ) throws(DiskCacheError) {
        guard byteLimit >= DiskCache.minimumByteLimit else { throw .limitTooSmall(byteLimit: byteLimit) }
        let directory = try CacheDirectory(making: path)
        current = Mutex(directory)
        self.source = source
        self.didRelease = didRelease
        health = DiskHealth(of: path, logger: logger)
        space = DiskSpace(byteLimit: byteLimit, health: health, logger: logger)
        writer = DiskWriter(byteLimit: queueByteLimit, batchByteLimit: space.batchByteLimit)
        ioThreads = IOThreads(didFinish: didRelease)
        writer.start(for: self)
        // Where nobody knows how much there is, which as a rule is nothing, that comes first; otherwise it isn't urgent.
        if directory.usage.isKnown {
            _ = ioThreads.run(inBackground: true) { self.count() }
        } else {
            count()
        }
    }

    /// What the disk holds of `version`, which must not be empty. Nothing is made before a block is stored.
    public func open(_ version: ObjectVersion) -> DiskObject {
        DiskObject(CacheIdentity(source: source, version: version), in: self)
    }

    /// Writes what is queued if that is quick, and ends the threads. Objects that are still used load and
    /// keep nothing from then on.
    public func shutdown() {
        space.end()
        writer.end()
        ioThreads.end()
        didRelease()
    }

    /// The folder of this cache that listings are kept in, made where there is none; `nil` where the disk doesn't allow it,
    /// which is told as for the rest of the cache. It may be used after `shutdown` too.
    public func listingFolder() -> ListingFolder? {
        do throws(Errno) {
            return try ListingFolder(in: directory, health: health, isMade: true)
        } catch {
            health.noteFailure(error)
            return nil
        }
    }

    /// How often a block or an index was found damaged since the start.
    public var damageCount: Int { health.damageCount }

    /// What the cache takes on the disk, in bytes, by its own account.
    public var usedByteCount: Int { directory.usage.byteCount }

    /// What it may take, in bytes.
    public var byteLimit: Int { space.byteLimit }

    /// Whether anything is stored now: not for a while after the disk has failed or was full.
    public var isStoring: Bool { health.mayStore }

    /// Where it is.
    public var path: FilePath { directory.path }

    /// The file system that it lies in.
    public var fileSystem: CacheFileSystem { directory.fileSystem }

    /// Waits until all that was stored is written or dropped. For tests.
    func waitUntilWritten() {
        writer.waitUntilIdle()
    }

    /// Where the files are.
    var directory: CacheDirectory { current.withLock { $0 } }

    // MARK: Writing, on the cache's own threads

    /// Writes blocks of `object` that aren't there yet.
    ///
    /// - Parameter mayEvict: Whether to make room if there is none, which takes its time.
    func write(_ blocks: [IndexedBlock], of object: DiskObject, mayEvict: Bool) -> WriteOutcome {
        guard health.mayStore else { return .failed }
        do throws(Errno) {
            let directory = try writableDirectory()
            let byteCount = blocks.reduce(0) { $0 + allocation(of: object.identity.bytes(ofBlock: $1.index).count) }
            let begin = directory.usage.account
            guard try reserve(byteCount, in: directory, mayEvict: mayEvict) else { return .noRoom }
            // After a failure the reservation stays: some of it may have been written. The next count knows.
            let written = try object.write(blocks, in: directory)
            if written ?? 0 < byteCount { directory.usage.takeOff(byteCount - (written ?? 0), since: begin) }
            guard written != nil else { return .notNow }
            health.noteSuccess()
            return .written
        } catch .resourceTemporarilyUnavailable, .canceled {
            // Another process is at it, or this one ends. That is no trouble with the disk.
            return .notNow
        } catch {
            health.noteFailure(error)
            return .failed
        }
    }

    private func reserve(_ byteCount: Int, in directory: CacheDirectory, mayEvict: Bool) throws(Errno) -> Bool {
        guard mayEvict else {
            if try space.reserve(byteCount, in: directory) { return true }
            writer.makeRoom()
            return false
        }
        if try space.reserveEvicting(byteCount, in: directory) { return true }
        if try space.isDiskFull(in: directory) { throw Errno.noSpace }
        return false
    }

    /// Counts everything anew.
    private func count() {
        // What goes wrong goes wrong when something is stored too, and is told then.
        _ = try? space.count(directory)
    }

    /// Counts everything anew, and evicts if there is too much.
    func makeRoom() {
        do throws(Errno) {
            try space.evict(for: 0, in: directory)
        } catch .resourceTemporarilyUnavailable, .canceled {
            // Another process is at it, or this one ends.
        } catch {
            health.noteFailure(error)
        }
    }

    /// The directory; a new one if somebody has removed it.
    private func writableDirectory() throws(Errno) -> CacheDirectory {
        let directory = directory
        guard directory.isGone else { return directory }
        do throws(DiskCacheError) {
            let made = try CacheDirectory(making: directory.path)
            current.withLock { $0 = made }
            return made
        } catch {
            if case .unusable(_, let errno) = error { throw errno }
            throw Errno.permissionDenied
        }
    }
}

/// What bytes of a file take on the disk, on most file systems.
func allocation(of byteCount: Int) -> Int {
    (byteCount + 4095) / 4096 * 4096
}
