import Glibc
public import struct SystemPackage.Errno
public import struct SystemPackage.FilePath

/// The state of the folder that a mount would use for its cache. Surveying it changes nothing.
public struct CacheFolderSurvey: Sendable {
    /// `true` if the folder exists; otherwise it can be created.
    public let isThere: Bool
    /// The folder or its nearest existing parent, with links resolved.
    public let nearest: FilePath
    /// The number of bytes available to us on its file system.
    public let freeByteCount: Int
    /// The number of those bytes that must stay free for others.
    public let floorByteCount: Int
    /// The file system of the folder.
    public let fileSystem: CacheFileSystem
    /// The disk usage of an existing cache.
    public let usedByteCount: Int

    /// The most bytes that a cache may come to use, whatever its limit.
    public var roomByteCount: Int { max(0, freeByteCount - floorByteCount) + usedByteCount }

    /// Surveys `path`, an absolute path.
    ///
    /// - Throws: The reason that it can't be used as the cache.
    public init(of path: FilePath) throws(DiskCacheError) {
        let directory: CacheDirectory?
        do throws(DiskCacheError) {
            directory = try CacheDirectory(opening: path)
        } catch .unusable(_, .noSuchFileOrDirectory) {
            directory = nil
        }
        isThere = directory != nil
        do throws(Errno) {
            usedByteCount = try directory.map(CacheFolderSurvey.used) ?? 0
            let found = try CacheFolderSurvey.nearestFolder(to: path)
            nearest = found
            let folder = try LocalFile(found.string, O_RDONLY | O_DIRECTORY)
            fileSystem = CacheFileSystem(of: folder)
            try LocalFile.checked { access(found.string, W_OK | X_OK) }
            let room = try folder.room()
            freeByteCount = room.freeByteCount
            floorByteCount = DiskSpace.floorByteCount(of: room.byteCount)
        } catch {
            throw error == .directoryNotEmpty ? .notACache(path) : .unusable(path, error)
        }
    }

    /// Returns the disk usage of the cache in `directory`.
    ///
    /// - Throws: `Errno.directoryNotEmpty` if it contains other files.
    private static func used(by directory: CacheDirectory) throws(Errno) -> Int {
        switch try directory.content() {
        case .nothing: return 0
        case .somethingElse: throw .directoryNotEmpty
        case .cache: return directory.usage.isKnown ? directory.usage.byteCount : 0
        }
    }

    private static func nearestFolder(to path: FilePath) throws(Errno) -> FilePath {
        var folder = path
        while true {
            var status = stat()
            if stat(folder.string, &status) == 0 {
                guard status.st_mode & S_IFMT == S_IFDIR else { throw .notDirectory }
                break
            }
            let errno = Errno(rawValue: errno)
            guard errno == .noSuchFileOrDirectory, folder.removeLastComponent() else { throw errno }
        }
        guard let resolved = realpath(folder.string, nil) else { throw Errno(rawValue: errno) }
        defer { free(resolved) }
        return FilePath(String(cString: resolved))
    }
}
