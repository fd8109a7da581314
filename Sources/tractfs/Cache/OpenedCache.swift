import BlockCache
import CommandOutput
import Settings
import SystemPackage
import SystemSupport

/// The cache of a command.
struct OpenedCache {
    let folder: FilePath
    let directory: DiskCacheDirectory

    /// Opens the cache that `options` name.
    ///
    /// - Returns: `nil` if there is none. That is reported, but is no failure of a command that lists or clears it.
    static func open(_ options: CacheFolderOptions) throws -> OpenedCache? {
        let folder = try options.folder(environment: Environment.variables())
        do throws(DiskCacheError) {
            return OpenedCache(folder: folder, directory: try DiskCacheDirectory(folder))
        } catch .noCache {
            StandardError.tell("\(DiskCacheError.noCache(folder))")
            return nil
        }
    }
}
