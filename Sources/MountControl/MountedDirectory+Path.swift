import Glibc
import Mounting
public import SystemPackage

extension MountedDirectory {
    /// Opens the folder at `path`. A folder in an overlay of tractfs stands for the folder below it in the bucket's own
    /// mount, since overlayfs passes no ioctl(2) on; ENXIO if there is none below it.
    public init(_ path: String) throws(Errno) {
        try self.init(path: Array(path.utf8))
    }

    /// Opens the folder at a path whose bytes may be no text.
    public init(path: [UInt8]) throws(Errno) {
        let directory = open(path.map { CChar(bitPattern: $0) } + [0], O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw Errno(rawValue: errno) }
        guard let overlay = OverlayDirectory(FileDescriptor(rawValue: directory)) else {
            self.init(owning: directory)
            return
        }
        defer { close(directory) }
        self.init(owning: try overlay.openLower().rawValue)
    }
}

extension MountProcesses {
    /// Returns the processes of the mount at `path`; `nil` if it doesn't respond.
    public static func of(mountAt path: String) -> MountProcesses? {
        guard let directory = try? MountedDirectory(path) else { return nil }
        return try? directory.processes()
    }
}
