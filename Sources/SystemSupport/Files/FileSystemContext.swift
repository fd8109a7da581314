import CLinux
import Glibc
public import SystemPackage

/// A file system that is being configured: a new one (fsopen(2)) or one that is already mounted (fspick(2)). Unlike
/// mount(2), this needs no mount point, and accepts any byte in a parameter.
public struct FileSystemContext: ~Copyable {
    /// The longest value of a parameter, in bytes.
    public static let valueByteCountMax = 255

    private let descriptor: CInt

    /// Begins a file system of this type. Throws ENODEV if the kernel doesn't support the type, ENOSYS before Linux
    /// 5.2.
    public init(ofType type: String) throws(Errno) {
        descriptor = try Self.checked(tractfs_fs_open(type))
    }

    /// Picks the file system mounted on `path`. Throws EINVAL if that isn't the root of a mount.
    public init(mountedOn path: String) throws(Errno) {
        descriptor = try Self.checked(tractfs_fs_pick(AT_FDCWD, path))
    }

    /// Picks the file system whose mount `mount` refers to.
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

    /// Creates the file system with the parameters set.
    public func create() throws(Errno) {
        _ = try Self.checked(tractfs_fs_create(descriptor))
    }

    /// Applies the parameters to the mounted file system. Without parameters it is unchanged, but the kernel drops all
    /// its unused names.
    public func reconfigure() throws(Errno) {
        _ = try Self.checked(tractfs_fs_reconfigure(descriptor))
    }

    /// Mounts the created file system without a mount point. The caller must close the mount, which ends it unless it
    /// is attached or otherwise in use.
    public func mount(isReadOnly: Bool, forbidsExecution: Bool) throws(Errno) -> FileDescriptor {
        let mount = tractfs_fs_mount(descriptor, isReadOnly ? 1 : 0, forbidsExecution ? 1 : 0)
        return FileDescriptor(rawValue: try Self.checked(mount))
    }

    /// The kernel's message about the last failed call; `nil` if there is none.
    public var complaint: String? {
        let bytes = try? FileDescriptor(rawValue: descriptor).readMessage()
        // A severity letter and a space precede the text.
        return bytes.map { String(decoding: $0.dropFirst(2), as: UTF8.self) }
    }

    /// Attaches a mount that `mount` has created to a mount point.
    public static func attach(_ mount: FileDescriptor, to path: String) throws(Errno) {
        _ = try checked(tractfs_fs_attach(mount.rawValue, path))
    }

    private static func checked(_ result: CInt) throws(Errno) -> CInt {
        if result < 0 { throw Errno(rawValue: errno) }
        return result
    }
}

extension FileDescriptor {
    /// Reads one message of the kernel, up to their maximum length.
    fileprivate func readMessage() throws -> [UInt8] {
        try [UInt8](unsafeUninitializedCapacity: 4_096) { buffer, count in
            count = try read(into: UnsafeMutableRawBufferPointer(buffer))
        }
    }
}
