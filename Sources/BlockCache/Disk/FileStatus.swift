import Glibc
import SystemSupport

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
    let modified: Timestamp
    /// The time of the last change of any kind. No process can set this one.
    let changed: Timestamp

    /// Copies the fields of `status`.
    init(_ status: stat) {
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        linkCount = Int(status.st_nlink)
        mode = status.st_mode
        owner = status.st_uid
        byteCount = Int(status.st_size)
        allocatedByteCount = Int(status.st_blocks) * 512
        modified = Timestamp(status.st_mtim)
        changed = Timestamp(status.st_ctim)
    }

    /// `true` for a directory.
    var isDirectory: Bool { mode & S_IFMT == S_IFDIR }

    /// `true` for a regular file.
    var isRegularFile: Bool { mode & S_IFMT == S_IFREG }

    /// `true` for a symbolic link.
    var isSymbolicLink: Bool { mode & S_IFMT == S_IFLNK }
}
