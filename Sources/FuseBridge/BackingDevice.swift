import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// The owner of backing files: the kernel, or a fake in tests.
protocol BackingDevice: Sendable {
    /// Registers an open file as a backing file. The caller may close it afterward: the kernel keeps it open.
    func registerBacking(_ file: FileDescriptor) throws(Errno) -> BackingID

    /// Unregisters a backing file. Handles that were opened with it continue to read it.
    func unregisterBacking(_ id: BackingID)
}
