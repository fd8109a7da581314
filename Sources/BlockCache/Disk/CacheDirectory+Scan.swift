import Glibc
import struct SystemPackage.Errno

extension CacheDirectory {
    /// Calls `body` with every object.
    ///
    /// - Parameter isTidying: Whether to take away what a process left half done, and what is nonsense.
    /// - Returns: What everything takes on the disk, and how much nonsense was taken away.
    @discardableResult
    func forEachObject(
        isTidying: Bool = true, _ body: (CachedFiles) throws(Errno) -> Void
    ) throws(Errno) -> (byteCount: Int, nonsenseCount: Int) {
        var byteCount = try root.status().allocatedByteCount + usage.allocatedByteCount
        byteCount += try ListingFolder.allocatedByteCount(in: root)
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
            let names = Set(try shard.names().compactMap(CacheDirectory.objectName))
            for name in names.filter({ $0.prefix(2) == shardName }).sorted() {
                guard let files = try CachedFiles(name, in: shard) else {
                    if isTidying, try removeNonsense(name) { nonsenseCount += 1 }
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
        let index = try shard.status(of: name + ObjectFiles.indexSuffix)
        do throws(Errno) {
            try unlink(name, in: shard)
        } catch {
            // On a disk that is read-only, say. It stays, nobody uses it, and nothing else depends on it.
        }
        return index.map { !$0.isDirectory } ?? false
    }

    /// Takes the files of `found` away if the data isn't what the index is about: another size, or no file at all.
    ///
    /// - Returns: Whether that was so.
    func removeIfNonsense(_ found: CachedFiles) throws(Errno) -> Bool {
        // Under the lock, because somebody may just be making or removing them.
        guard let shard = try freeShard(of: found.name, locked: .exclusive),
            let files = try CachedFiles(found.name, in: shard),
            case .nonsense = try ObjectFiles.open(files.header.identity, in: shard)
        else { return false }
        try unlink(found.name, in: shard)
        return true
    }

    private static func objectName(_ file: String) -> String? {
        for suffix in [ObjectFiles.dataSuffix, ObjectFiles.indexSuffix, ObjectFiles.newIndexSuffix]
        where file.hasSuffix(suffix) {
            let name = file.dropLast(suffix.count)
            return name.utf8.count == 32 && CacheDirectory.isHexadecimal(name) ? String(name) : nil
        }
        return nil
    }

    /// Whether all of `text` are digits as object names have them.
    static func isHexadecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
    }
}
