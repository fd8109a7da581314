import ArgumentParser
import BlockCache
import ObjectStore
import S3Client

/// `tractfs cache clear`.
struct CacheClearCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "clear",
        abstract: "Remove what is kept, all of it or a part.",
        discussion: """
            Nothing is asked, since all of it can be fetched again. Mounts go on; the disk gets the space of a file that \
            is open when it is closed. Files in the folder that are not the cache's stay.
            """)

    @Argument(
        help: ArgumentHelp(
            "What to remove: a bucket's objects, those in a folder of it, or one (default: everything).",
            valueName: "s3://BUCKET[/PREFIX]"))
    var uri: String?

    @OptionGroup
    var place: CacheFolderOptions

    func run() throws {
        let uri = try uri.map { try S3URI(parsing: $0) }
        guard let cache = try OpenedCache.open(place) else { return }
        let clearance = try cache.directory.clear { source, version in
            guard let uri else { return true }
            return CachedObjectName(source: source, key: version.key).isWithin(uri)
        }
        let freed = ByteCount(clearance.byteCount).rounded
        try StandardOutput.write("\(ObjectCount(clearance.objectCount)) removed from \(cache.folder), \(freed) freed\n")
        if clearance.lockedCount > 0 {
            throw Failure(
                "\(ObjectCount(clearance.lockedCount)) not removed: another process has locked them; try again")
        }
    }
}
