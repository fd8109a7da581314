import Glibc

/// The status of a file (stat(2)).
struct FileStatus: Hashable {
    let device: UInt64
    let inode: UInt64
    let linkCount: Int
    let mode: mode_t
    let owner: uid_t
    let byteCount: Int
    /// The disk usage of the file; holes use nothing.
    let allocatedByteCount: Int
    /// The time of the last write.
    let modified: FileTime
    /// The time of the last change of any kind. No process can set this one.
    let changed: FileTime

    /// Copies the fields of `status`.
    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        linkCount = Int(status.st_nlink)
        mode = status.st_mode
        owner = status.st_uid
        byteCount = Int(status.st_size)
        allocatedByteCount = Int(status.st_blocks) * 512
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
    }

    /// `true` for a directory.
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

    /// `true` for a regular file.
    var isRegularFile: Bool { mode & S_IFMT == S_IFREG }

    /// `true` for a symbolic link.
    var isSymbolicLink: Bool { mode & S_IFMT == S_IFLNK }
}

/// A file system timestamp.
struct FileTime: Hashable {
    let seconds: Int
    let nanoseconds: Int

    /// Converts `time`.
    init(_ time: timespec) {
        seconds = Int(time.tv_sec)
        nanoseconds = Int(time.tv_nsec)
    }
}

/// Returns the wall-clock time in nanoseconds since 1970. Processes that share a cache agree on it, unlike on a clock
/// that starts with the machine.
func wallClockNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
