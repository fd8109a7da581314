import Glibc
public import struct SystemPackage.Errno
public import struct SystemPackage.FilePath

/// What a mount would find where its cache is to be. Looking changes nothing.
public struct CacheFolderSurvey: Sendable {
    /// Whether there is such a folder already; otherwise it can be made.
    public let isThere: Bool
    /// The folder, or the nearest one above it that is there, without links.
    public let nearest: FilePath
    /// How much room its file system has for us, in bytes.
    public let freeByteCount: Int
    /// How much of that must stay free for others.
    public let floorByteCount: Int
    /// The file system.
    public let fileSystem: CacheFileSystem
    /// What a cache takes that is there already.
    public let usedByteCount: Int

    /// How much a cache may come to take, whatever its limit.
    public var roomByteCount: Int { max(0, freeByteCount - floorByteCount) + usedByteCount }

    /// Looks at `path`, an absolute path.
    ///
    /// - Throws: Why it can't be the cache.
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

    /// What the cache in `directory` takes.
    ///
    /// - Throws: `Errno.directoryNotEmpty` where somebody else's files are in it.
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
