import Glibc
import struct SystemPackage.Errno

/// An object as found by a scan of the cache directory.
struct CachedFiles {
    /// The name of its files.
    let name: String
    /// The header of its index.
    let header: IndexHeader
    /// The disk usage of its two files.
    let allocatedByteCount: Int

    /// Finds the files `name` in `shard`; `nil` if one is missing or the index is invalid.
    init?(_ name: String, in shard: LocalFile) throws(Errno) {
        do throws(Errno) {
            let index = try LocalFile(name + ObjectFiles.indexSuffix, in: shard, O_RDONLY | O_NONBLOCK)
            guard let header = try IndexHeader(of: index), header.identity.name == name,
                let dataStatus = try shard.status(of: name + ObjectFiles.dataSuffix)
            else { return nil }
            self.name = name
            self.header = header
            allocatedByteCount = try index.status().allocatedByteCount + dataStatus.allocatedByteCount
        } catch  where error == .noSuchFileOrDirectory || ObjectFiles.invalidFileErrors.contains(error) {
            // Any other error is about this process or the disk, not about the file.
            return nil
        }
    }
}
