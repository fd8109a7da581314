import Glibc

/// An object as a look through the cache directory finds it.
struct CachedFiles {
    /// What its files are called.
    let name: String
    /// What stands at the beginning of its index.
    let header: IndexHeader
    /// What its two files take on the disk.
    let allocatedByteCount: Int

    /// The files `name` in `shard`; `nil` if they are not both there, or the index is nonsense.
    init?(_ name: String, in shard: LocalFile) {
        guard let index = try? LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK),
            let header = try? IndexHeader(of: index), header.identity.name == name,
            let indexStatus = try? index.status(),
            let dataStatus = try? shard.status(of: name + ObjectFiles.dataSuffix)
        else { return nil }
        self.name = name
        self.header = header
        allocatedByteCount = indexStatus.allocatedByteCount + dataStatus.allocatedByteCount
    }
}
