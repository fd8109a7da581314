import Glibc

/// What the file system knows of a file (stat(2)).
struct FileStatus: Hashable {
    let device: UInt64
    let inode: UInt64
    let linkCount: Int
    let mode: mode_t
    let owner: uid_t
    let byteCount: Int
    /// What the file takes on the disk; holes take nothing.
    let allocatedByteCount: Int
    /// When its bytes were last written.
    let modified: FileTime
    /// When anything of it was last changed. Nobody can set this one.
    let changed: FileTime

    /// The fields of `status`.
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

    /// Whether it is a directory.
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

    /// Whether it is a file in the narrow sense.
    var isRegularFile: Bool { mode & S_IFMT == S_IFREG }

    /// Whether it is a symbolic link.
    var isSymbolicLink: Bool { mode & S_IFMT == S_IFLNK }
}

/// A point in time as the file system keeps it.
struct FileTime: Hashable {
    let seconds: Int
    let nanoseconds: Int

    /// The time `time`.
    init(_ time: timespec) {
        seconds = Int(time.tv_sec)
        nanoseconds = Int(time.tv_nsec)
    }
}

/// What the clock on the wall says, in nanoseconds since 1970. Processes that share a cache agree on it, as they would not on
/// one that starts with the machine.
func wallClockNanoseconds() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
