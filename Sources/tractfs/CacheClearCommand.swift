import ArgumentParser
import BlockCache
import Logging
import ObjectStore
import S3Client
import SQLiteArchive

/// `tractfs cache clear`.
struct CacheClearCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove what is kept, all of it or a part.",
        discussion: """
            Nothing is asked, since all of it can be fetched again. Mounts go on; the disk gets the space of a file that \
            is open when it is closed. What tractfs warm --keep has kept goes too. What is kept of folders (their listings) goes with the files in them. Files in the \
            folder that are not the cache's stay.
            """)

    @Argument(
        help: ArgumentHelp(
            "What to remove: a bucket's objects, those in a folder of it, or one (default: everything).",
            valueName: "s3://BUCKET[/PREFIX]"))
    var uri: String?

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationOptions

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
    /// Removes the listings that `uri` is about; `nil` for all.
    ///
    /// - Returns: How many bytes of the disk that has freed.
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
