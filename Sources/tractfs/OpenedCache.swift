import BlockCache
import SystemPackage

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
