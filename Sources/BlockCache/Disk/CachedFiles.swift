import Glibc
import struct SystemPackage.Errno

/// An object as a look through the cache directory finds it.
struct CachedFiles {
    /// What its files are called.
    let name: String
    /// What stands at the beginning of its index.
    let header: IndexHeader
    /// What its two files take on the disk.
    let allocatedByteCount: Int

    /// The files `name` in `shard`; `nil` if they are not both there, or the index is nonsense.
    init?(_ name: String, in shard: LocalFile) throws(Errno) {
        do throws(Errno) {
            let index = try LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK)
            guard let header = try IndexHeader(of: index), header.identity.name == name,
                let dataStatus = try shard.status(of: name + ObjectFiles.dataSuffix)
            else { return nil }
            self.name = name
            self.header = header
            allocatedByteCount = try index.status().allocatedByteCount + dataStatus.allocatedByteCount
        } catch  where error == .noSuchFileOrDirectory || ObjectFiles.nonsenseErrors.contains(error) {
            // Any other error says something of us or of the disk, and nothing of the file.
            return nil
        }
    }
}
