import ArgumentParser
import BlockCache
import CommandOutput
import Settings

/// `tractfs cache list`.
struct CacheListCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the cached objects, the most recently used first.",
        discussion: """
            ON DISK is the disk space of an object's files, SIZE the size of the object in S3. "part" marks an object of which \
            only the parts that were read are cached, "kept" one that is pinned (tractfs warm --keep). Objects of other stores \
            than AWS are followed by their endpoint.

            With --json each line is one object: "uri", "endpoint" (null for AWS), "bucket", "key", "etag" (null if the store's \
            listing has none), "size", "cached_bytes", "disk_bytes", "complete", "kept", "last_used" (UTC). Sizes are in bytes.
            """)

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationFileOptions

    @Flag(help: "Print one JSON object per line, for programs.")
    var json = false

    func run() throws {
        guard let cache = try OpenedCache.open(place) else { return }
        let listing = try CacheListing(of: cache)
        try StandardOutput.write(json ? listing.json : listing.table)
    }
}
