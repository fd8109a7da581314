import Glibc
import SystemPackage

/// The kernel's read-ahead in the files of a mount.
public enum ReadAhead {
    /// One request of the greatest size. A larger value speeds up a sequential read only slightly, but the kernel reads
    /// this much around each mmap fault.
    private static let kibibyteCount = MountedDevice.readByteCountLimit / 1_024

    /// Raises the read-ahead of the mount on `path`; FUSE_INIT can only reduce the kernel's 128 KiB. Needs root and a
    /// writable /sys. Without them the kernel's own read-ahead stays in effect.
    ///
    /// - Returns: `true` if it was raised.
    public static func raise(forMountAt path: String) -> Bool {
        // Uses the mount table, because a request to the mount itself would be a request to this process.
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
