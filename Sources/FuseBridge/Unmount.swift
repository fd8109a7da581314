import CFuse
import Glibc
import SystemPackage

/// Ends a mount.
public enum Unmount {
    /// Detaches the mount from its path: nothing new can be opened there, and what is open goes on until it is closed or
    /// the process that serves the mount ends.
    public static func detach(_ path: String) throws(MountError) {
        if geteuid() != 0 { return try Fusermount.unmount(path) }
        guard umount2(path, CInt(MNT_DETACH) | CInt(UMOUNT_NOFOLLOW)) == 0 else {
            throw MountError("unmount \(path)", Errno(rawValue: errno))
        }
    }
}
