import ArgumentParser
import BlockCache
import CommandOutput
import Logging
import ObjectStore
import S3Client
import SQLiteArchive
import Settings
import SystemSupport

/// `tractfs cache clear`.
struct CacheClearCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove objects from the cache.",
        discussion: """
            There is no confirmation, since everything can be fetched again. Mounts continue; the space of an open file is freed \
            when it is closed. Files that tractfs warm --keep has pinned are removed too, and the listings of folders with the \
            files in them. Other files in the cache's folder are not touched.
            """)

    @Argument(
        help: ArgumentHelp(
            "The objects to remove: those of a bucket, of a folder in it, or one (default: all).",
            valueName: "s3://BUCKET[/PREFIX]"))
    var uri: String?

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationFileOptions

    func run() throws {
        let uri = try uri.map { try S3URI(parsing: $0) }
        guard let cache = try OpenedCache.open(place) else { return }
        let clearance = try cache.directory.clear { source, version in
            guard let uri else { return true }
            return CachedObjectName(source: source, key: version.key).isWithin(uri)
        }
        let kept = clearance.pinnedCount > 0 ? " (\(clearance.pinnedCount) kept by tractfs warm)" : ""
        let freed = ByteCount(clearance.byteCount + (try clearListings(uri, in: cache))).rounded
        try StandardOutput.write(
            "\(ObjectCount(clearance.objectCount)) removed from \(cache.folder)\(kept), \(freed) freed\n")
        if clearance.lockedCount > 0 {
            throw Failure(
                "\(ObjectCount(clearance.lockedCount)) not removed: another process has locked them; try again")
        }
    }

    /// Removes the listings of `uri`; all if it is `nil`.
    ///
    /// - Returns: The number of bytes that were freed.
    private func clearListings(_ uri: S3URI?, in cache: OpenedCache) throws -> Int {
        let logger = Logger(label: "tractfs") { _ in SwiftLogNoOpLogHandler() }
        guard let folder = try cache.directory.listingFolder(logger: logger) else { return 0 }
        let before = folder.allocatedByteCount
        do throws(ArchiveError) {
            if let uri {
                try SQLiteArchive.clear(folder, below: { CachedObjectName.folder(uri, in: $0) }, logger: logger)
            } else {
                try SQLiteArchive.clear(folder, logger: logger)
            }
        } catch {
            throw Failure("the listings in \(folder.database) are not removed: \(error); try again")
        }
        return max(before - folder.allocatedByteCount, 0)
    }
}
