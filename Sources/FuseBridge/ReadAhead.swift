import Glibc
import SystemPackage

/// How far the kernel reads ahead in a mount's files.
public enum ReadAhead {
    /// One request of the greatest size. More brings a little on a stream, but an mmap fault reads as much around it
    /// (DESIGN.md, "Other measured facts").
    private static let kibibyteCount = FuseSession.readByteCountLimit / 1_024

    /// Raises it for the mount at `path`, which FUSE_INIT can only lower from the kernel's 128 KiB. Needs root and a
    /// writable /sys; without them the mount works with the kernel's own read-ahead.
    ///
    /// - Returns: Whether it was raised.
    public static func raise(forMountAt path: String) -> Bool {
        // From the mount table, because asking the mount itself would be a request to ourselves.
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
