public import Logging
public import ObjectStore
import Synchronization
public import SystemPackage

/// Blocks of object versions on the local disk. They outlive the process and are shared with concurrent processes that
/// use the same directory.
///
/// **Parts.** A `DiskObject` is one version of one object; it has `ObjectFiles`, which lie in the `CacheDirectory`. One
/// `DiskWriter` writes fetched blocks in the background; `IOThreads` read. `DiskSpace` decides how much may be written,
/// and runs an `Eviction` to make room; `DiskUsage` is the total size, a number that all processes share.
///
/// **Trust.** Existing files are never trusted. Every block that is read is checked against its checksum. So a process
/// may be killed anywhere, the machine may lose power, and others may change the files at will: invalid data is
/// dropped, logged once, and fetched again. A file that is handed over as a whole (`CompleteFile`) was checked as a
/// whole, and a `SealRecord` proves that it has not been written since.
///
/// **Never in the way.** Readers never wait for a write: blocks that can't be queued are dropped. When the disk fails,
/// storing stops for a minute (`DiskHealth`), and readable blocks stay in use.
///
/// Locks: a `DiskObject`'s state, an `ObjectFiles`' own writes and the queues are never held together; only file locks
/// are taken within the second. No callback runs under any of them.
public final class DiskCache: Sendable {
    /// The smallest limit that works: such a cache holds a few files of a few MiB.
    public static let minimumByteLimit = 16 << 20

    let source: String
    let space: DiskSpace
    let health: DiskHealth
    let writer: DiskWriter
    let ioThreads: IOThreads
    /// Called after blocks have been released.
    let didRelease: @Sendable () -> Void
    private let current: Mutex<CacheDirectory>

    /// Opens the cache in a directory and starts its threads. `shutdown` ends them.
    ///
    /// - Parameters:
    ///   - path: The directory; created if missing.
    ///   - byteLimit: The disk space that the cache may use in total, for all processes, in bytes.
    ///   - source: The endpoint and the bucket of the keys.
    ///   - queueByteLimit: The memory limit for blocks that wait to be written, in bytes.
    ///   - didRelease: Called under no lock after blocks that were stored or completed have been released.
    ///   - logger: The log for problems.
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
        // If the usage is unknown, which usually means an empty cache, count first; otherwise counting isn't urgent.
        if directory.usage.isKnown {
            _ = ioThreads.run(inBackground: true) { self.count() }
        } else {
            count()
        }
    }

    /// Returns the disk object of `version`, which must not be empty. No file is created before a block is stored.
    public func open(_ version: ObjectVersion) -> DiskObject {
        DiskObject(CacheIdentity(source: source, version: version), in: self)
    }

    /// Writes queued blocks if that is quick, and ends the threads. Objects still in use load and store nothing from
    /// then on.
    public func shutdown() {
        space.end()
        writer.end()
        ioThreads.end()
        didRelease()
    }

    /// Returns the listing folder of this cache, creating it if needed; `nil` if the disk fails, which is reported like
    /// other failures of the cache. It may be used after `shutdown`.
    public func listingFolder() -> ListingFolder? {
        do throws(Errno) {
            return try ListingFolder(in: directory, health: health, isMade: true)
        } catch {
            health.noteFailure(error)
            return nil
        }
    }

    /// The number of times a block or an index was found damaged since the start.
    public var damageCount: Int { health.damageCount }

    /// The disk usage of the cache in bytes, by its own account.
    public var usedByteCount: Int { directory.usage.byteCount }

    /// The disk space that the cache may use, in bytes.
    public var byteLimit: Int { space.byteLimit }

    /// `true` if blocks are stored now. After a failed or full disk, storing pauses.
    public var isStoring: Bool { health.mayStore }

    /// `true` while stored blocks wait to be written.
    public var isWriting: Bool { !writer.isIdle }

    /// The path of the cache directory.
    public var path: FilePath { directory.path }

    /// The file system of the cache directory.
    public var fileSystem: CacheFileSystem { directory.fileSystem }

    /// Waits until all stored blocks are written or dropped. For tests.
    func waitUntilWritten() {
        writer.waitUntilIdle()
    }

    /// The directory of the files.
    var directory: CacheDirectory { current.withLock { $0 } }

    // MARK: Writing, on the threads of the cache

    /// Writes the blocks of `object` that are absent.
    ///
    /// - Parameter mayEvict: Allows making room by eviction, which takes time.
    func write(_ blocks: [IndexedBlock], of object: DiskObject, mayEvict: Bool) -> WriteOutcome {
        guard health.mayStore else { return .failed }
        do throws(Errno) {
            let directory = try writableDirectory()
            let byteCount = blocks.reduce(0) { $0 + allocation(of: object.identity.bytes(ofBlock: $1.index).count) }
            let begin = directory.usage.account
            guard try reserve(byteCount, in: directory, mayEvict: mayEvict) else { return .noRoom }
            // After a failure the reservation stays, because some of it may have been written. The next count corrects
            // it.
            let written = try object.write(blocks, in: directory)
            if written ?? 0 < byteCount { directory.usage.takeOff(byteCount - (written ?? 0), since: begin) }
            guard written != nil else { return .notNow }
            health.noteSuccess()
            return .written
        } catch .resourceTemporarilyUnavailable, .canceled {
            // Another process holds the lock, or this one is shutting down. The disk is fine.
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

    /// Recounts the disk usage.
    private func count() {
        // A failure here recurs when a block is stored, and is reported then.
        _ = try? space.count(directory)
    }

    /// Recounts the disk usage, and evicts if it exceeds the limit.
    func makeRoom() {
        do throws(Errno) {
            try space.evict(for: 0, in: directory)
        } catch .resourceTemporarilyUnavailable, .canceled {
            // Another process holds the lock, or this one is shutting down.
        } catch {
            health.noteFailure(error)
        }
    }

    /// Returns the directory, or a new one if it has been removed.
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

/// Returns the disk usage of `byteCount` file bytes on most file systems.
func allocation(of byteCount: Int) -> Int {
    (byteCount + 4095) / 4096 * 4096
}
