import Glibc
public import SystemPackage
import SystemSupport

/// A directory in an overlay of ours.
public struct OverlayDirectory {
    /// The overlay's upper folder.
    private let upper: String
    /// The directory's path below the overlay's mount point; "." for the root.
    private let path: String

    /// Finds the overlay of an open directory; `nil` if the directory isn't in an overlay of ours.
    public init?(_ directory: FileDescriptor) {
        guard let path = SystemFile.path(of: directory).map({ FilePath($0) }),
            let mount = (try? MountTable())?.mount(containing: path), mount.isOverlaid, let upper = mount.overlayUpper
        else { return nil }
        self.upper = upper
        var below = path
        _ = below.removePrefix(FilePath(mount.mountPoint))
        self.path = below.isEmpty ? "." : below.string
    }

    /// Opens the directory below it, in the mount of the bucket. The caller must close it.
    ///
    /// - Throws: ENXIO if there is none, because the directory was created or renamed in the overlay.
    public func openLower() throws(Errno) -> FileDescriptor {
        let root = try LowerMount.request(upper: upper)
        defer { try? root.close() }
        let directory = openat(root.rawValue, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        if directory >= 0 { return FileDescriptor(rawValue: directory) }
        let failure = Errno(rawValue: errno)
        throw failure == .noSuchFileOrDirectory || failure == .notDirectory ? Errno(rawValue: ENXIO) : failure
    }
}
