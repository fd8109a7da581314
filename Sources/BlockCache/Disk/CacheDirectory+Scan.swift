import Glibc
import struct SystemPackage.Errno

extension CacheDirectory {
    /// Calls `body` with every object.
    ///
    /// - Parameter isTidying: Removes half-made files of dead processes and invalid files when `true`.
    /// - Returns: The disk usage of all files, and the number of invalid objects removed.
    @discardableResult
    func forEachObject(
        isTidying: Bool = true, _ body: (CachedFiles) throws(Errno) -> Void
    ) throws(Errno) -> (byteCount: Int, invalidCount: Int) {
        var byteCount = try root.status().allocatedByteCount + usage.allocatedByteCount
        byteCount += try ListingFolder.allocatedByteCount(in: root)
        var invalidCount = 0
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
                    if isTidying, try removeInvalid(name) { invalidCount += 1 }
                    continue
                }
                byteCount += files.allocatedByteCount
                try body(files)
            }
        }
        return (byteCount, invalidCount)
    }

    /// Removes the files of an invalid object. Returns `true` if there was an index; without one they may just have
    /// been left half made.
    private func removeInvalid(_ name: String) throws(Errno) -> Bool {
        // Check again under the lock: another process may be creating the files right now.
        guard let shard = try freeShard(of: name, locked: .exclusive), try CachedFiles(name, in: shard) == nil else {
            return false
        }
        let index = try shard.status(of: name + ObjectFiles.indexSuffix)
        do throws(Errno) {
            try unlink(name, in: shard)
        } catch {
            // For example on a read-only disk. The file stays; it is never used, and nothing else depends on it.
        }
        return index.map { !$0.isDirectory } ?? false
    }

    /// Removes the files of `found` if the data file is missing or does not have the size that the index states.
    ///
    /// - Returns: `true` if the files were invalid.
    func removeIfInvalid(_ found: CachedFiles) throws(Errno) -> Bool {
        // Under the lock, because another process may be creating or removing them right now.
        guard let shard = try freeShard(of: found.name, locked: .exclusive),
            let files = try CachedFiles(found.name, in: shard),
            case .invalid = try ObjectFiles.open(files.header.identity, in: shard)
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

    /// Returns `true` if `text` consists of lowercase hexadecimal digits, as object names do.
    static func isHexadecimal(_ text: some StringProtocol) -> Bool {
        text.utf8.allSatisfy {
            UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 || UInt8(ascii: "a")...UInt8(ascii: "f") ~= $0
        }
    }
}
