public import struct SystemPackage.Errno
public import struct SystemPackage.FilePath

/// Why a directory can't be the disk cache.
public enum DiskCacheError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is there is no directory.
    case notADirectory(FilePath)
    /// What is there is a symbolic link: where it leads may change, or be somebody else's.
    case symbolicLink(FilePath)
    /// It belongs to the user `owner`, who could change what we read.
    case anotherUsers(FilePath, owner: UInt32)
    /// Its group or everybody may write to it.
    case writableByOthers(FilePath, mode: UInt32)
    /// It can't be opened or made.
    case unusable(FilePath, Errno)
    /// There is nothing, or nothing in it.
    case noCache(FilePath)
    /// There is something else in it.
    case notACache(FilePath)
    /// Other machines may use it too, and locks don't keep them apart.
    case sharedWithoutLocks(FilePath, type: String)
    /// Another machine uses it.
    case anotherMachines(FilePath)
    /// The limit is less than what is worth the trouble.
    case limitTooSmall(byteLimit: Int)

    /// What to do about a network's file system.
    public static let localDiskAdvice =
        "give --cache-dir a folder on a local disk, such as one below $TMPDIR or /scratch"

    /// One sentence for a person, without a full stop: what is wrong and what to do.
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
