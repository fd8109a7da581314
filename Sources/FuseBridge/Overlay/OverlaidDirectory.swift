import Glibc
import MountControl
import SystemPackage

/// A directory that is seen through an overlay of ours.
struct OverlaidDirectory {
    /// Where the overlay keeps what is written.
    private let upper: String
    /// The directory's path below the overlay's mount point; "." for the topmost one.
    private let path: String

    /// - Parameter directory: An open directory.
    /// - Returns: `nil` for one that isn't in an overlay of ours.
    init?(_ directory: CInt) {
        guard let path = MountedDirectory.path(of: directory).map({ FilePath($0) }),
            let mount = (try? MountTable())?.mount(containing: path), mount.isOverlaid, let upper = mount.overlayUpper
        else { return nil }
        self.upper = upper
        var below = path
        _ = below.removePrefix(FilePath(mount.mountPoint))
        self.path = below.isEmpty ? "." : below.string
    }

    /// Opens the directory that lies below it, in the bucket's own mount. The descriptor is the caller's to close.
    ///
    /// ENXIO where there is none: it was made in the overlay, or has another name there.
    func openLower() throws(Errno) -> CInt {
        let root = try LowerMount.ask(upper: upper)
        defer { try? root.close() }
        let directory = openat(root.rawValue, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW)
        if directory >= 0 { return directory }
        let failure = Errno(rawValue: errno)
        throw failure == .noSuchFileOrDirectory || failure == .notDirectory ? Errno(rawValue: ENXIO) : failure
    }
}
