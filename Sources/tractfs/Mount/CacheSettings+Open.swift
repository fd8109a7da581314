import BlockCache
import Logging
import S3Client
import SQLiteArchive
import Settings

extension CacheSettings {
    /// Opens the cache of the bucket of `configuration`, whose blocks in memory are in `blocks`.
    ///
    /// - Returns: `nil` if the default folder, or one that other machines use too, is not usable. That is logged.
    func open(
        for configuration: S3Configuration, blocks: BlockCache, logger: Logger
    ) throws(DiskCacheError) -> DiskCache? {
        do throws(DiskCacheError) {
            let disk = try DiskCache(
                directory: directory, byteLimit: byteLimit, source: configuration.bucketIdentity,
                // The reader can't evict the blocks that wait to be written.
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

    /// The share of listings is at most an eighth of the limit. All 15 million keys of the HCP's release take about 1
    /// GiB, less than an eighth of the default limit.
    private static let listingDivisor = 8

    /// The most memory of listings that wait to be written, in bytes: those of a fraction of a second.
    private static let listingQueueByteLimit = 16 << 20

    /// Opens the archive of listings in the cache `disk`, for the bucket of `configuration`.
    ///
    /// - Returns: `nil` if it is not usable. That is logged.
    func openArchive(
        in disk: DiskCache, for configuration: S3Configuration, memory: MemoryBudget, logger: Logger
    ) -> SQLiteArchive? {
        // SQLite's write-ahead log needs memory that all its users share.
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
}
