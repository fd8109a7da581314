import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// Who is lent files to read: the kernel, or a test in its place.
protocol BackingDevice: Sendable {
    /// Lends an open file, which may be closed then: the kernel keeps it open.
    func lend(_ file: FileDescriptor) throws(Errno) -> BackingID

    /// Takes a lent file back. Handles that were opened with it go on reading it.
    func takeBack(_ id: BackingID)
}
