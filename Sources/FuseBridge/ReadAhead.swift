import Glibc
import SystemPackage

/// The read-ahead of the kernel in the files of a mount.
public enum ReadAhead {
    /// The size of one maximum request. A larger read-ahead makes streams only slightly faster, and each page fault of
    /// a mapping reads as much around it.
    private static let kibibyteCount = FuseSession.readByteCountLimit / 1_024

    /// Raises the read-ahead of the mount at `path`; FUSE_INIT can only lower it from the kernel's 128 KiB. Needs root
    /// and a writable /sys. Without them, the mount works with the kernel's default.
    ///
    /// - Returns: `true` if it was raised.
    public static func raise(forMountAt path: String) -> Bool {
        // From the mount table, since a request to the mount would have to be answered by this process.
        guard let device = (try? MountTable())?.mount(at: path)?.device else { return false }
        let setting = FilePath("/sys/class/bdi/\(device)/read_ahead_kb")
        do {
            let file = try FileDescriptor.open(setting, .writeOnly, options: .closeOnExec)
            return try file.closeAfter { try file.writeAll("\(kibibyteCount)\n".utf8) > 0 }
        } catch {
            return false
        }
    }
}
