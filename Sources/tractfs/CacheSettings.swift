import BlockCache
import Glibc
import Logging
import S3Client
import SQLiteArchive
import SystemPackage

/// Where file contents and listings are kept on the local disk, and how much of it they may take.
struct CacheSettings {
    /// The folder.
    let directory: FilePath
    /// Whether the user named it: then there is no mount without it.
    let isRequired: Bool
    /// How much it may hold, in bytes.
    let byteLimit: Int

    /// The least that is worth it: some of a fast stream's parts.
    static let minimumByteLimit = 64 << 20

    /// Checks that the folder won't be hidden by what is mounted on `mountPoint`, a resolved path.
    func checkIsOutside(mountPoint: String) throws(Failure) {
        guard directory.lexicallyNormalized().starts(with: FilePath(mountPoint)) else { return }
        throw Failure("the cache directory \(directory) is within the mount point: give another one with --cache-dir")
    }

    /// Opens the cache for what is mounted by `configuration`, whose blocks lie in `blocks`.
    ///
    /// - Returns: `nil` where the standard folder can't be had, or one that other machines may use too. The log is told of it.
    func open(
        for configuration: S3Configuration, blocks: BlockCache, logger: Logger
    ) throws(DiskCacheError) -> DiskCache? {
        do throws(DiskCacheError) {
            let disk = try DiskCache(
                directory: directory, byteLimit: byteLimit, source: configuration.bucketIdentity,
                // What waits to be written is out of the reader's reach.
                queueByteLimit: blocks.byteLimit / 2, didRelease: { blocks.serveWaiting() }, logger: logger)
            if disk.fileSystem.isShared {
                logger.notice(
                    "the cache directory \(directory) is on \(disk.fileSystem.type): listings are not kept there, and no other machine can use it meanwhile; \(DiskCacheError.localDiskAdvice)"
                )
            }
            return disk
        } catch {
            switch error {
            // The mount is worth more than its cache.
            case .sharedWithoutLocks, .anotherMachines: break
            case .unusable where !isRequired: break
            default: throw error
            }
            logger.warning("nothing is cached on the disk: \(error)")
            return nil
        }
    }

    /// Listings take an eighth of the limit at the most. All 15 million keys of the HCP's release take about 1 GiB, which
    /// is less than an eighth of the standard limit.
    private static let listingDivisor = 8

    /// What listings that wait to be written may keep in memory, in bytes: those of a fraction of a second.
    private static let listingQueueByteLimit = 16 << 20

    /// Opens what is kept of listings in the cache `disk`, for what is mounted by `configuration`.
    ///
    /// - Returns: `nil` where it can't be had, which the log is told of.
    func openArchive(
        in disk: DiskCache, for configuration: S3Configuration, memory: MemoryBudget, logger: Logger
    ) -> SQLiteArchive? {
        // SQLite's log file needs memory that all its users share.
        guard !disk.fileSystem.isShared, let folder = disk.listingFolder() else { return nil }
        do throws(ArchiveError) {
            return try SQLiteArchive(
                in: folder, source: configuration.listingIdentity, byteLimit: byteLimit / CacheSettings.listingDivisor,
                queueByteLimit: min(CacheSettings.listingQueueByteLimit, memory.metadataByteLimit / 4), logger: logger)
        } catch {
            logger.warning("listings are not kept on the disk: \(folder.database) can't be used (\(error))")
            return nil
        }
    }

    /// The folder where none is given: that of the XDG base directory specification, or of the system for root.
    static func standardDirectory(environment: [String: String], isRoot: Bool) throws(Failure) -> FilePath {
        if isRoot { return "/var/cache/tractfs" }
        // What isn't absolute is to be ignored, says the specification.
        if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
            return FilePath(caches).appending("tractfs")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Failure(
                "there is no home folder to keep the cache in: give --cache-dir a folder, or mount with --no-cache")
        }
        return FilePath(home).appending(".cache/tractfs")
    }
}

/// The options on it.
extension CacheOptions {
    /// What they say together; `nil` for no cache.
    func settings(environment: [String: String]) throws(Failure) -> CacheSettings? {
        if !isKept { return nil }
        return CacheSettings(
            directory: try place.folder(environment: environment), isRequired: place.cacheDir != nil,
            byteLimit: cacheSize.byteCount)
    }
}
