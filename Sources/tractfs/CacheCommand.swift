import ArgumentParser
import BlockCache
import Glibc
import SystemPackage

/// `tractfs cache`: what may be done with the cache on the local disk, with mounts at work or without.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache",
        abstract: "Show, check or clear what mounts keep on the local disk.",
        discussion: """
            Mounts keep what was read in a folder, for the next reads, the next mounts and each other. All of this is safe \
            while mounts use it.
            """,
        subcommands: [CacheListCommand.self, CacheVerifyCommand.self, CacheClearCommand.self])
}

/// Which cache, for `mount` and `cache` alike.
struct CacheFolderOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The folder to keep file contents in (default: ~/.cache/tractfs, for root /var/cache/tractfs).",
            valueName: "folder"))
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

/// The cache that one of the commands works on.
struct OpenedCache {
    /// Where it is.
    let folder: FilePath
    let directory: DiskCacheDirectory

    /// Opens the cache that `options` name.
    ///
    /// - Returns: `nil` where there is none, after saying so: to look at nothing, or to clear it, is no failure.
    static func open(_ options: CacheFolderOptions) throws -> OpenedCache? {
        let folder = try options.folder(environment: Environment.variables())
        do throws(DiskCacheError) {
            return OpenedCache(folder: folder, directory: try DiskCacheDirectory(folder))
        } catch .noCache {
            _ = try? FileDescriptor.standardError.writeAll("tractfs: \(DiskCacheError.noCache(folder))\n".utf8)
            return nil
        }
    }
}
