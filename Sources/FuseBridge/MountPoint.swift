import CFuse
import Glibc
import SystemPackage

/// A directory that something can be mounted on.
public struct MountPoint: Sendable {
    /// Its absolute path, without links.
    public let path: String

    /// Checks that `path` is a directory, empty, and not a mount already.
    public init(checking path: String) throws(MountError) {
        if path.isEmpty { throw MountError("the mount point is empty; name an empty folder") }
        guard let resolved = MountPoint.resolve(path) else {
            let quoted = MountPoint.quoted(path)
            switch Errno(rawValue: errno) {
            case .noSuchFileOrDirectory:
                throw MountError("the mount point \(path) does not exist; make it with: mkdir -p \(quoted)")
            case .notDirectory:
                throw MountError("the mount point \(path) is not a folder; name an empty folder")
            case Errno(rawValue: ENOTCONN):
                throw MountPoint.deadMount(on: path)
            case let errno:
                throw MountError("use the mount point \(path)", errno)
            }
        }
        self.path = resolved
        let table: MountTable
        do { table = try MountTable() } catch { throw MountError("read the mount table", error) }
        if let mount = table.mount(at: resolved), mount.isTractfs {
            if MountPoint.isDead(resolved) { throw MountPoint.deadMount(on: path) }
            throw MountError(
                "\(mount.source) is mounted on \(path) already; unmount it with: "
                    + "tractfs unmount \(MountPoint.quoted(path))")
        }
        try checkIsEmptyDirectory()
    }

    private func checkIsEmptyDirectory() throws(MountError) {
        guard let directory = opendir(path) else {
            let errno = Errno(rawValue: errno)
            if errno == .notDirectory {
                throw MountError("the mount point \(path) is not a folder; name an empty folder")
            }
            throw MountError("open the mount point \(path)", errno)
        }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            // "." and ".." are all that an empty directory has.
            if entry.pointee.d_name.0 == CChar(bitPattern: UInt8(ascii: ".")),
                entry.pointee.d_name.1 == 0
                    || (entry.pointee.d_name.1 == entry.pointee.d_name.0 && entry.pointee.d_name.2 == 0)
            {
                continue
            }
            throw MountError("the mount point \(path) is not empty; its files would be hidden: name an empty folder")
        }
    }

    private static func deadMount(on path: String) -> MountError {
        MountError("the mount point \(path) has a dead mount on it; clear it with: tractfs unmount \(quoted(path))")
    }

    /// Whether the process behind the mount at `path` has ended. Opening asks it; the path itself may still resolve,
    /// because the kernel knows the attributes.
    private static func isDead(_ path: String) -> Bool {
        let root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if root >= 0 {
            close(root)
            return false
        }
        return errno == ENOTCONN || errno == ECONNABORTED
    }

    /// A path as a shell takes it, for commands in messages.
    private static func quoted(_ path: String) -> String {
        let isPlain = path.unicodeScalars.allSatisfy {
            $0.properties.isAlphabetic || "0123456789/._-+,:@%".unicodeScalars.contains($0)
        }
        return isPlain
            ? path : "'" + path.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }

    /// The path without links, or `nil` and errno.
    public static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
