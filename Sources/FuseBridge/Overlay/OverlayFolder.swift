import Glibc
import MountControl
public import SystemPackage
import SystemSupport

/// The folder on a local disk in which a mount keeps what is written to it (`--overlay`), for one mount at a time.
///
/// In it are `upper`, what was written, as plain files; `work`, which is overlayfs's own; `bucket`, whose this is; and `socket`, where our
/// commands ask for the bucket's own mount (`LowerMount`). That mount is nowhere in the tree of folders: the overlay alone has it,
/// so that the mount ends with the overlay, however that is unmounted.
///
/// All processes of a mount have the folder open, and so share its lock, which goes with the last of them. A lock that is free
/// means that an overlay which is still mounted is dead.
public struct OverlayFolder: Sendable {
    enum Name {
        static let upper = "upper"
        static let work = "work"
        static let bucket = "bucket"
        static let socket = "socket"
        static let ours: Set = [upper, work, bucket, socket]
    }

    /// Its absolute path, without links.
    public let path: String
    /// The folder, open and locked.
    public let descriptor: FileDescriptor

    /// Where what is written lies.
    public var upper: String { Self.path(of: Name.upper, in: path) }
    /// What is overlayfs's own.
    var work: String { Self.path(of: Name.work, in: path) }

    /// Takes the folder at `path` for a mount on `mountPoint`, and sees whether it can keep what is written. Nothing is made in it yet.
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

    /// One that an earlier process of this mount has taken.
    ///
    /// - Parameter path: What it is called where that can't be found out.
    public init(inheriting descriptor: FileDescriptor, givenAs path: String) {
        self.descriptor = descriptor
        self.path = MountedDirectory.path(of: descriptor.rawValue) ?? path
    }

    private static func path(of name: String, in folder: String) -> String {
        folder == "/" ? "/\(name)" : "\(folder)/\(name)"
    }

    private static func openingError(_ path: String, _ errno: Errno) -> MountError {
        switch errno {
        case .noSuchFileOrDirectory:
            MountError("the overlay's folder \(path) does not exist; make it with: mkdir -p \(MountPoint.quoted(path))")
        case .notDirectory: MountError("the overlay's folder \(path) is not a folder; name one on a local disk")
        default: MountError("open the overlay's folder \(path)", errno)
        }
    }

    /// Whether the processes are gone that had laid an overlay with this upper folder. Where the folder is gone too, nobody knows.
    static func isAbandoned(upper: String) -> Bool {
        let folder = open(FilePath(upper).removingLastComponent().string, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return false }
        defer { close(folder) }
        return flock(folder, LOCK_EX | LOCK_NB) == 0
    }
}
