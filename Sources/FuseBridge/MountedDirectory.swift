import CFuse
public import FileSystem
import Glibc
public import Namespace
public import struct SystemPackage.Errno

/// A directory of a mount, opened to ask the process that serves it for something.
///
/// All calls fail with ENOTTY where the directory is not in a mount of ours, or the mount is served by a version that
/// doesn't know the question.
public struct MountedDirectory: ~Copyable {
    private let descriptor: CInt

    /// Opens the directory at `path`.
    public init(_ path: String) throws(Errno) {
        descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    }

    deinit {
        close(descriptor)
    }

    /// The process that serves the mount.
    public func server() throws(Errno) -> Int32 {
        var process: UInt32 = 0
        try call(TRACTFS_IOCTL_SERVER, &process)
        return Int32(process)
    }

    /// Who serves the mount, and who sees to it.
    public func supervision() throws(Errno) -> Supervision {
        var supervision = tractfs_supervision()
        try call(TRACTFS_IOCTL_SUPERVISION, &supervision)
        return Supervision(supervision)
    }

    /// Has the mount forget what was listed. When this returns nobody sees it any more.
    public func refresh(_ extent: Namespace.Extent) throws(Errno) {
        var number: UInt32 =
            switch extent {
            case .tree: 0
            case .directory: 1
            }
        try call(TRACTFS_IOCTL_REFRESH, &number)
    }

    /// Has the mount list all that is below the directory, for as long as this instance lives. Returns at once.
    public func beginWarming() throws(Errno) {
        var number: UInt32 = 0
        try call(TRACTFS_IOCTL_WARM, &number)
    }

    /// How far that is.
    public func warmStatus() throws(Errno) -> FileSystem.WarmStatus {
        var status = tractfs_warm_status()
        try call(TRACTFS_IOCTL_WARM_STATUS, &status)
        return FileSystem.WarmStatus(status)
    }

    private func call(_ command: UInt, _ argument: UnsafeMutableRawPointer) throws(Errno) {
        guard tractfs_call(descriptor, command, argument) == 0 else { throw Errno(rawValue: errno) }
    }
}

extension FileSystem.WarmStatus {
    init(_ status: tractfs_warm_status) {
        let reason = withUnsafeBytes(of: status.reason) { bytes in
            String(decoding: bytes.prefix(Int(status.reason_byte_count)), as: UTF8.self)
        }
        let outcome: Result<Void, Failure>? =
            switch status.error {
            case EINPROGRESS: nil
            case 0: .success(())
            default: .failure(Failure(errno: Errno(rawValue: status.error), reason: reason))
            }
        self.init(
            keyCount: Int(clamping: status.key_count), pageCount: Int(clamping: status.page_count), outcome: outcome)
    }
}
