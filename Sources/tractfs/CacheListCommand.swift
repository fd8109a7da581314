import ArgumentParser
import BlockCache

/// `tractfs cache list`.
struct CacheListCommand: ConfigurableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the objects that something is kept of, the most recently used first.",
        discussion: """
            ON DISK is what an object's files take, SIZE how big the object is in S3. "part" is said of an object of which \
            only what was read is there, "kept" of one that isn't evicted (tractfs warm --keep). Objects that are not AWS's have \
            their endpoint behind them.

            With --json each line is one object: "uri", "endpoint" (null for AWS), "bucket", "key", "etag" (null where the \
            store's listing has none), "size", "cached_bytes" (how much of it is there), "disk_bytes", "complete", "kept", "last_used" (UTC). Sizes are in bytes.
            """)

    @OptionGroup
    var place: CacheFolderOptions

    @OptionGroup
    var files: ConfigurationOptions

    @Flag(help: "Print a JSON object a line, for programs.")
    var json = false

    func run() throws {
        guard let cache = try OpenedCache.open(place) else { return }
        let listing = try CacheListing(of: cache)
        try StandardOutput.write(json ? listing.json : listing.table)
    }
}
