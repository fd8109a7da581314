public import BlockCache
public import Logging
import Namespace
public import ObjectStore
import SystemPackage

extension SQLiteArchive {
    /// Removes listings, for `tractfs cache clear`. Mounts that use the archive continue.
    ///
    /// - Parameters:
    ///   - prefix: The prefix below which listings of this source, an endpoint and a bucket, are removed; `nil` for
    ///     none.
    ///   - logger: The log for damage.
    public static func clear(
        _ folder: ListingFolder, below prefix: (_ source: String) -> Key?, logger: Logger
    ) throws(ArchiveError) {
        // Don't create a missing database.
        guard folder.databaseFile() != nil else { return }
        let database = try ArchiveDatabase(in: folder, logger: logger)
        defer { database.close() }
        for source in try ArchiveWriter.sources(in: database.writer) {
            guard let prefix = prefix(source) else { continue }
            try ArchiveWriter(source: source, database: database.writer).forget(KeyInterval(prefix: prefix))
        }
        try ArchiveWriter.shrink(database.writer)
    }

    /// Removes all listings, and their files if no mount uses them.
    public static func clear(_ folder: ListingFolder, logger: Logger) throws(ArchiveError) {
        do throws(Errno) {
            if try folder.removeFiles() { return }
        } catch {
            throw .disk(error)
        }
        try clear(folder, below: { _ in .empty }, logger: logger)
    }
}
