import Glibc
public import SystemPackage
import SystemSupport

/// The folder on a local disk that holds the writes to a mount (`--overlay`), for one mount at a time.
///
/// It contains `upper`, the written files as plain files; `work`, which belongs to overlayfs; `bucket`, a file that
/// names the bucket; and `socket`, on which our commands request the mount of the bucket itself (`LowerMount`). Only
/// the overlay refers to that mount, which has no mount point, so the mount ends with the overlay, however that is
/// unmounted.
///
/// All processes of a mount have the folder open and share its lock, which the last of them releases. If the lock is
/// free while an overlay is mounted, that overlay is dead.
public struct OverlayFolder: Sendable {
    enum Name {
        static let upper = "upper"
        static let work = "work"
        static let bucket = "bucket"
        static let socket = "socket"
        static let ours: Set = [upper, work, bucket, socket]
    }

    /// The absolute path, without symbolic links.
    public let path: String
    /// The folder, open and locked.
    public let descriptor: FileDescriptor

    /// The folder for written files.
    public var upper: String { Self.path(of: Name.upper, in: path) }
    /// The folder that belongs to overlayfs.
    var work: String { Self.path(of: Name.work, in: path) }

    /// Locks the folder at `path` for a mount on `mountPoint`, and checks that it can hold writes. Creates nothing in
    /// it yet.
    public init(taking path: String, for mountPoint: String) throws(MountError) {
        if geteuid() != 0 {
            throw MountError("--overlay needs root, for overlayfs; mount with sudo")
        }
        if path.isEmpty { throw MountError("the overlay's folder is empty; name a folder on a local disk") }
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw Self.openingError(path, Errno(rawValue: errno)) }
        self.init(inheriting: FileDescriptor(rawValue: folder), givenAs: path)
        do throws(MountError) {
            try check(for: mountPoint)
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// Takes over a folder that an earlier process of this mount has locked.
    ///
    /// - Parameter path: Its path if the kernel can't tell it.
    public init(inheriting descriptor: FileDescriptor, givenAs path: String) {
        self.descriptor = descriptor
        self.path = SystemFile.path(of: descriptor) ?? path
    }

    private static func path(of name: String, in folder: String) -> String {
        folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }

    private static func openingError(_ path: String, _ errno: Errno) -> MountError {
        switch errno {
        case .noSuchFileOrDirectory:
            MountError("the overlay's folder \(path) does not exist; make it with: mkdir -p \(path.shellWord)")
        case .notDirectory: MountError("the overlay's folder \(path) is not a folder; name one on a local disk")
        default: MountError("open the overlay's folder \(path)", errno)
        }
    }

    /// Returns `true` if the processes of the overlay with this upper folder have ended; `false` if the folder is gone,
    /// because then that is unknown.
    static func isAbandoned(upper: String) -> Bool {
        let folder = open(FilePath(upper).removingLastComponent().string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return flock(folder, LOCK_EX | LOCK_NB) == 0
    }
}
