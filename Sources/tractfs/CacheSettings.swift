import Glibc
import SystemPackage

/// Where file contents are kept on the local disk, and how much of it they may take.
struct CacheSettings {
    /// The folder.
    let directory: FilePath
    /// How much it may hold, in bytes.
    let byteLimit: Int

    /// The least that is worth it: some of a fast stream's parts.
    static let minimumByteLimit = 64 << 20

    /// The folder where none is given: that of the XDG base directory specification, or of the system for root.
    static func standardDirectory(environment: [String: String], isRoot: Bool) throws(Failure) -> FilePath {
        if isRoot { return "/var/cache/tractfs" }
        // What isn't absolute is to be ignored, says the specification.
        if let caches = environment["XDG_CACHE_HOME"], caches.hasPrefix("/") {
            return FilePath(caches).appending("tractfs")
        }
        guard let home = environment["HOME"], home.hasPrefix("/") else {
            throw Failure("there is no home folder to keep the cache in: give --cache-dir a folder, or --no-cache")
        }
        return FilePath(home).appending(".cache/tractfs")
    }
}

/// The options on it.
extension CacheOptions {
    /// The folder that they name.
    func directory(environment: [String: String]) throws(Failure) -> FilePath {
        if let cacheDir { return FilePath(AbsolutePath.of(cacheDir)) }
        return try CacheSettings.standardDirectory(environment: environment, isRoot: geteuid() == 0)
    }

    /// What they say together; `nil` for no cache.
    func settings(environment: [String: String]) throws(Failure) -> CacheSettings? {
        if noCache { return nil }
        return CacheSettings(directory: try directory(environment: environment), byteLimit: cacheSize.byteCount)
    }
}
