import Glibc
import struct SystemPackage.Errno

extension CacheDirectory {
    /// The kind of content that a directory has.
    enum Content {
        /// No files, or only those that some new file systems contain.
        case nothing
        /// A cache; files of others may lie beside it.
        case cache
        /// Other files, and no cache.
        case somethingElse
    }

    /// Returns the kind of content that this directory has.
    func content() throws(Errno) -> Content {
        if try root.names().allSatisfy({ $0 == "lost+found" || $0 == MachineLock.fileName }) { return .nothing }
        if try usage.isMade() { return .cache }
        // The usage file may have been removed, but the name "objects" alone proves nothing: others, such as git, use
        // it too.
        guard try root.status(of: CacheDirectory.objects)?.isDirectory == true else { return .somethingElse }
        let shards = try LocalFile(CacheDirectory.objects, in: root, O_RDONLY | O_DIRECTORY).names()
        return shards.allSatisfy { $0.utf8.count == 2 && CacheDirectory.isHexadecimal($0) } ? .cache : .somethingElse
    }
}
