import CLinux
import Glibc
public import SystemPackage

/// A file system that is being configured: one that is to be mounted (fsopen(2)), or one that is mounted already (fspick(2)). Unlike
/// mount(2), this needs no place in the tree of folders, and takes any byte in a parameter.
public struct FileSystemContext: ~Copyable {
    /// The longest value of a parameter, in bytes.
    public static let valueByteCountMax = 255

    private let descriptor: CInt

    /// Begins with a file system of this type. ENODEV where the kernel has none such, ENOSYS before Linux 5.2.
    public init(ofType type: String) throws(Errno) {
        descriptor = try Self.checked(tractfs_fs_open(type))
    }

    /// Begins with what is mounted on `path`. EINVAL where that isn't the root of a mount.
    public init(mountedOn path: String) throws(Errno) {
        descriptor = try Self.checked(tractfs_fs_pick(AT_FDCWD, path))
    }

    /// Begins with what `mount` is the root of.
    public init(rootedAt mount: FileDescriptor) throws(Errno) {
        descriptor = try Self.checked(tractfs_fs_pick(mount.rawValue, ""))
    }

    deinit {
        close(descriptor)
    }

    /// Sets a parameter.
    public func set(_ key: String, to value: String) throws(Errno) {
        _ = try Self.checked(tractfs_fs_set(descriptor, key, value))
    }

    /// Makes the file system of the parameters.
    public func create() throws(Errno) {
        _ = try Self.checked(tractfs_fs_create(descriptor))
    }

    /// Has the parameters hold. With none the file system stays as it is, but the kernel lets go of all its names that nobody uses.
    public func reconfigure() throws(Errno) {
        _ = try Self.checked(tractfs_fs_reconfigure(descriptor))
    }

    /// Mounts the file system that was made, nowhere. The mount is the caller's to close, and ends then unless it was attached, or
    /// something else uses it.
    public func mount(isReadOnly: Bool, forbidsExecution: Bool) throws(Errno) -> FileDescriptor {
        let mount = tractfs_fs_mount(descriptor, isReadOnly ? 1 : 0, forbidsExecution ? 1 : 0)
        return FileDescriptor(rawValue: try Self.checked(mount))
    }

    /// What the kernel has to say about the last call that failed; `nil` where it says nothing.
    public var complaint: String? {
        let bytes = try? FileDescriptor(rawValue: descriptor).readMessage()
        // A letter for how grave it is, and a space come before.
        return bytes.map { String(decoding: $0.dropFirst(2), as: UTF8.self) }
    }

    /// Gives a mount that `mount` has made a place.
    public static func attach(_ mount: FileDescriptor, to path: String) throws(Errno) {
        _ = try checked(tractfs_fs_attach(mount.rawValue, path))
    }

    private static func checked(_ result: CInt) throws(Errno) -> CInt {
        if result < 0 { throw Errno(rawValue: errno) }
        return result
    }
}

extension FileDescriptor {
    /// One message of the kernel's, as long as these get.
    fileprivate func readMessage() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
            count = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
