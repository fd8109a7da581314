import Glibc
import struct SystemPackage.Errno

extension CacheDirectory {
    /// Calls `body` with every object, and takes away what a process left half done.
    ///
    /// - Returns: What everything takes on the disk, and how much nonsense was taken away.
    @discardableResult
    func forEachObject(
        _ body: (CachedFiles) throws(Errno) -> Void
    ) throws(Errno) -> (byteCount: Int, nonsenseCount: Int) {
        var byteCount = try root.status().allocatedByteCount + usage.allocatedByteCount
        var nonsenseCount = 0
        let objects: LocalFile
        do throws(Errno) {
            objects = try LocalFile(CacheDirectory.objects, in: root, O_RDONLY | O_DIRECTORY)
        } catch .noSuchFileOrDirectory {
            return (byteCount, 0)
        }
        byteCount += try objects.status().allocatedByteCount
        for shardName in try objects.names().sorted() {
            guard let shard = try? LocalFile(shardName, in: objects, O_RDONLY | O_DIRECTORY) else { continue }
            byteCount += try shard.status().allocatedByteCount
            for name in Set(try shard.names().compactMap(CacheDirectory.objectName)).sorted() {
                guard let files = try CachedFiles(name, in: shard) else {
                    if try removeNonsense(name) { nonsenseCount += 1 }
                    continue
                }
                byteCount += files.allocatedByteCount
                try body(files)
            }
        }
        return (byteCount, nonsenseCount)
    }

    /// - Returns: Whether there was an index, which says that it was not just left half made.
    private func removeNonsense(_ name: String) throws(Errno) -> Bool {
        // Looked at again under the lock: somebody may just be making it.
        guard let shard = try freeShard(of: name, locked: .exclusive), try CachedFiles(name, in: shard) == nil else {
            return false
        }
        let hasIndex = try shard.status(of: name + ObjectFiles.indexSuffix) != nil
        do throws(Errno) {
            try unlink(name, in: shard)
            return hasIndex
        } catch {
            // Somebody put a directory there, with something in it. Theirs to remove; nothing else depends on it.
            return false
        }
    }

    private static func objectName(_ file: String) -> String? {
        for suffix in [ObjectFiles.dataSuffix, ObjectFiles.indexSuffix, ObjectFiles.newIndexSuffix]
        where file.hasSuffix(suffix) && file.count == 32 + suffix.count {
            return String(file.dropLast(suffix.count))
        }
        return nil
    }
}
