import ArgumentParser
import Glibc
import SystemPackage

/// Which cache, for `mount` and `cache` alike.
struct CacheFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder to keep file contents and listings in (default: ~/.cache/tractfs, for root /var/cache/tractfs).",
            valueName: "folder"),
        completion: .directory)
    var cacheDir: String?

    func validate() throws {
        if cacheDir?.isEmpty == true { throw ValidationError("--cache-dir needs a folder") }
    }

    /// The folder that they name.
    func folder(environment: [String: String]) throws(Failure) -> FilePath {
        if let cacheDir { return FilePath(AbsolutePath.of(cacheDir)) }
        return try CacheSettings.standardDirectory(environment: environment, isRoot: geteuid() == 0)
    }
}
