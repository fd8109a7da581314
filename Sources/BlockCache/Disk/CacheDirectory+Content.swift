import Glibc
import struct SystemPackage.Errno

extension CacheDirectory {
    /// What a directory holds.
    enum Content {
        /// Nothing, or what every new file system of some kinds holds.
        case nothing
        /// A cache; there may be files of somebody else's beside it.
        case cache
        /// Something else, and no cache.
        case somethingElse
    }

    /// What this directory holds.
    func content() throws(Errno) -> Content {
        if try root.names().allSatisfy({ $0 == "lost+found" || $0 == MachineLock.fileName }) { return .nothing }
        if try usage.isMade() { return .cache }
        // Somebody may have removed the number; but "objects" is a name that others use too, such as git.
        guard try root.status(of: CacheDirectory.objects)?.isDirectory == true else { return .somethingElse }
        let shards = try LocalFile(CacheDirectory.objects, in: root, O_RDONLY | O_DIRECTORY).names()
        return shards.allSatisfy { $0.utf8.count == 2 && CacheDirectory.isHexadecimal($0) } ? .cache : .somethingElse
    }
}
