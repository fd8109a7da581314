package import ArgumentParser
import Glibc
package import SystemPackage
package import SystemSupport

/// The option that names the folder of the cache, for `mount` and `cache` alike.
package struct CacheFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder of the cache of file contents and listings (default: ~/.cache/tractfs, for root /var/cache/tractfs).",
            valueName: "folder"),
        completion: .directory)
    package var cacheDir: String?

    package init() {}

    package func validate() throws {
        if cacheDir?.isEmpty == true { throw ValidationError("--cache-dir needs a folder") }
    }

    /// Returns the folder of the cache.
    package func folder(environment: [String: String]) throws(Failure) -> FilePath {
        if let cacheDir { return FilePath(AbsolutePath.of(cacheDir)) }
        return try CacheSettings.standardDirectory(environment: environment, isRoot: geteuid() == 0)
    }
}
