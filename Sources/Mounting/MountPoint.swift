import Glibc
import SystemPackage
import SystemSupport

/// An empty directory for a mount.
public struct MountPoint: Sendable {
    /// The absolute path, without symbolic links.
    public let path: String

    /// The sources ("s3://…") of dead mounts that were unmounted from it.
    public let cleared: [String]

    /// The most dead mounts to unmount from one path.
    private static let clearedCountMax = 8

    /// Checks that `path` is an empty directory without a mount. Unmounts dead mounts of ours, whose processes have
    /// ended without unmounting them.
    public init(checking path: String) throws(MountError) {
        if path.isEmpty { throw MountError("the mount point is empty; name an empty folder") }
        var cleared: [String] = []
        while let dead = try MountPoint.deadMount(on: path), cleared.count < MountPoint.clearedCountMax {
            try Unmount.detach(dead.mountPoint)
            cleared.append(dead.source)
        }
        self.cleared = cleared
        guard let resolved = MountPoint.resolve(path) else { throw MountPoint.resolvingError(path) }
        self.path = resolved
        if let mount = try MountPoint.mount(at: resolved), mount.isOurs {
            throw MountError(
                "\(mount.source) is mounted on \(path) already; unmount it with: "
                    + "tractfs unmount \(path.shellWord)")
        }
        try checkIsEmptyDirectory()
    }

    /// Returns the error for a path that could not be resolved, from errno.
    private static func resolvingError(_ path: String) -> MountError {
        let quoted = path.shellWord
        switch Errno(rawValue: errno) {
        case .noSuchFileOrDirectory:
            return MountError("the mount point \(path) does not exist; make it with: mkdir -p \(quoted)")
        case .notDirectory:
            return MountError("the mount point \(path) is not a folder; name an empty folder")
        case let errno:
            return MountError("use the mount point \(path)", errno)
        }
    }

    private static func mount(at path: String) throws(MountError) -> MountTable.Entry? {
        do {
            return try MountTable().mount(at: path)
        } catch {
            throw MountError("read the mount table", error)
        }
    }

    /// Returns the visible mount of ours on `path` if it is dead. If such a path doesn't resolve, its parent folder
    /// does.
    private static func deadMount(on path: String) throws(MountError) -> MountTable.Entry? {
        var resolved = resolve(path)
        if resolved == nil, errno == ENOTCONN {
            let path = FilePath(path).lexicallyNormalized()
            let folder = path.removingLastComponent()
            resolved = resolve(folder.isEmpty ? "." : folder.string).flatMap { folder in
                path.lastComponent.map { FilePath(folder).appending($0).string }
            }
        }
        guard let resolved, let mount = try mount(at: resolved) else { return nil }
        if mount.isOverlaid, let upper = mount.overlayUpper {
            return OverlayFolder.isAbandoned(upper: upper) ? mount : nil
        }
        return mount.isTractfs && isDead(resolved) ? mount : nil
    }

    private func checkIsEmptyDirectory() throws(MountError) {
        let isEmpty: Bool
        do throws(Errno) {
            var entries = try DirectoryEntries(path)
            isEmpty = try entries.next() == nil
        } catch .notDirectory {
            throw MountError("the mount point \(path) is not a folder; name an empty folder")
        } catch {
            throw MountError("open the mount point \(path)", error)
        }
        if !isEmpty {
            throw MountError("the mount point \(path) is not empty; its files would be hidden: name an empty folder")
        }
    }

    /// Returns `true` if the process that served the mount at `path` has ended. Only opening the root sends it a
    /// request; the path may resolve without one, because the kernel caches attributes.
    private static func isDead(_ path: String) -> Bool {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if root >= 0 {
            close(root)
            return false
        }
        return errno == ENOTCONN || errno == ECONNABORTED
    }

    /// Returns the path without symbolic links; `nil` and errno on failure.
    public static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
