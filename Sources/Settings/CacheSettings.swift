package import SystemPackage
package import SystemSupport

/// The settings of the cache on the local disk.
package struct CacheSettings: Sendable {
    package let directory: FilePath
    /// `true` if the user named the folder: a mount fails without it.
    package let isRequired: Bool
    /// The most disk space to use, in bytes.
    package let byteLimit: Int
    /// `true` if parts of files that came too fast for the disk are fetched again.
    package let isRefetching: Bool

    /// The least useful limit: some parts of a fast stream.
    package static let minimumByteLimit = 64 << 20

    /// Throws if a mount on `mountPoint`, a resolved path, would hide the folder.
    package func checkIsOutside(mountPoint: String) throws(Failure) {
        guard directory.lexicallyNormalized().starts(with: FilePath(mountPoint)) else { return }
        throw Failure("the cache directory \(directory) is within the mount point: give another one with --cache-dir")
    }

    /// Returns the default folder: that of the XDG base directory specification, or of the system for root.
    static func standardDirectory(environment: [String: String], isRoot: Bool) throws(Failure) -> FilePath {
        if isRoot { return "/var/cache/tractfs" }
        // The specification ignores relative folders.
        if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
            return FilePath(caches).appending("tractfs")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Failure(
                "there is no home folder to keep the cache in: give --cache-dir a folder, or mount with --no-cache")
        }
        return FilePath(home).appending(".cache/tractfs")
    }
}
