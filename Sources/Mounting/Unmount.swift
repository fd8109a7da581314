import Glibc
import SystemPackage

/// Unmounting.
public enum Unmount {
    /// Detaches the mount from its path. Nothing can be opened there any more; open files stay usable until they are
    /// closed or the serving process ends.
    public static func detach(_ path: String) throws(MountError) {
        if geteuid() != 0 { return try Fusermount.unmount(path) }
        guard umount2(path, CInt(MNT_DETACH) | CInt(UMOUNT_NOFOLLOW)) == 0 else {
            throw MountError("unmount \(path)", Errno(rawValue: errno))
        }
    }
}
