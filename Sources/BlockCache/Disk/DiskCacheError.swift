public import struct SystemPackage.Errno
public import struct SystemPackage.FilePath

/// A reason that a directory can't be the disk cache.
public enum DiskCacheError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The path is not a directory.
    case notADirectory(FilePath)
    /// The path is a symbolic link: its target may change or belong to another user.
    case symbolicLink(FilePath)
    /// The directory belongs to the user `owner`, who could change its contents.
    case anotherUsers(FilePath, owner: UInt32)
    /// The group or all users may write to the directory.
    case writableByOthers(FilePath, mode: UInt32)
    /// The directory can't be opened or created.
    case unusable(FilePath, Errno)
    /// The directory is missing or empty.
    case noCache(FilePath)
    /// The directory contains files, but no cache.
    case notACache(FilePath)
    /// Other machines may use the directory, and locks don't exclude them.
    case sharedWithoutLocks(FilePath, type: String)
    /// Another machine uses the directory.
    case anotherMachines(FilePath)
    /// The limit is too small to be useful.
    case limitTooSmall(byteLimit: Int)

    /// The remedy for a cache directory on a network file system.
    public static let localDiskAdvice =
        "give --cache-dir a folder on a local disk, such as one below $TMPDIR or /scratch"

    /// One sentence for users, without a period: the fault and the remedy.
    public var description: String {
        switch self {
        case .notADirectory(let path):
            "the cache directory \(path) is not a directory; give another one with --cache-dir"
        case .symbolicLink(let path):
            "the cache directory \(path) is a symbolic link; give the directory itself with --cache-dir"
        case .anotherUsers(let path, let owner):
            "the cache directory \(path) belongs to another user (uid \(owner)); give one of your own with --cache-dir"
        case .writableByOthers(let path, let mode):
            "the cache directory \(path) is writable for others (mode \(String(mode & 0o7777, radix: 8))); "
                + "give another one with --cache-dir, or, if it holds nothing else, run chmod 700 on it"
        case .unusable(let path, let errno):
            "the cache directory \(path) can't be used (\(errno)); "
                + "give another one with --cache-dir, or mount with --no-cache"
        case .noCache(let path):
            "there is no cache in \(path)"
        case .notACache(let path):
            "the directory \(path) holds other things and no cache; give the cache's own with --cache-dir"
        case .sharedWithoutLocks(let path, let type):
            "the cache directory \(path) is on \(type), where locks don't keep other machines from it; "
                + DiskCacheError.localDiskAdvice
        case .anotherMachines(let path):
            "the cache directory \(path) is in use by another machine; " + DiskCacheError.localDiskAdvice
        case .limitTooSmall(let byteLimit):
            "a cache of \(byteLimit) bytes is too small; "
                + "give at least \(DiskCache.minimumByteLimit >> 20) MiB with --cache-size, or --no-cache"
        }
    }
}
