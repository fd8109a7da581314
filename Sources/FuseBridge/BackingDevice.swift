import CFuse
import Glibc
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// Who is lent files to read: the kernel, or a test in its place.
protocol BackingDevice: Sendable {
    /// Lends an open file, which may be closed then: the kernel keeps it open.
    func lend(_ file: FileDescriptor) throws(Errno) -> BackingID

    /// Takes a lent file back. Handles that were opened with it go on reading it.
    func takeBack(_ id: BackingID)
}

/// A mounted /dev/fuse, which is open as long as the session lives.
struct FuseDevice: BackingDevice {
    let descriptor: CInt

    func lend(_ file: FileDescriptor) throws(Errno) -> BackingID {
        let id = tractfs_backing_open(descriptor, file.rawValue)
        guard id > 0 else { throw Errno(rawValue: errno) }
        return BackingID(rawValue: id)
    }

    func takeBack(_ id: BackingID) {
        // It can only fail for an id that isn't lent.
        _ = tractfs_backing_close(descriptor, id.rawValue)
    }
}
