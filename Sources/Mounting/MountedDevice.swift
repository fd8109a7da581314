import Glibc
public import SystemPackage

/// An open /dev/fuse that is mounted. Its owner serves the mount; closing it ends the connection to the kernel.
public struct MountedDevice: ~Copyable, Sendable {
    /// The most bytes of one read request: the limit of libfuse and of the kernel, 256 pages.
    public static let readByteCountLimit = 1 << 20

    private let descriptor: CInt

    /// The options of a mount.
    public struct Options: Sendable {
        /// The source in the mount table: "s3://BUCKET/PREFIX".
        public var source: String
        /// `true` if users other than the mounting user may use the mount (`--allow-other`).
        public var allowsOthers: Bool
        /// `true` to mount with noexec (`--noexec`).
        public var forbidsExecution: Bool
        /// SELinux contexts, by the kernel's names. They need root.
        public var securityContexts: [(name: String, value: String)] = []

        /// Creates these options. All others are the same for every mount.
        public init(source: String, allowsOthers: Bool, forbidsExecution: Bool = false) {
            self.source = source
            self.allowsOthers = allowsOthers
            self.forbidsExecution = forbidsExecution
        }

        /// The contexts as options of mount(2), quoted because they contain commas.
        var quotedSecurityContexts: String {
            securityContexts.map { ",\($0.name)=\"\($0.value)\"" }.joined()
        }

        /// The options for mount(2) and fusermount3 alike: the kernel checks permissions, and reads may be as long as
        /// libfuse agrees to in FUSE_INIT.
        fileprivate var common: String {
            "default_permissions,max_read=\(MountedDevice.readByteCountLimit)" + (allowsOthers ? ",allow_other" : "")
        }
    }

    private init(takingOwnershipOf descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Takes ownership of a device that another process has mounted.
    public init(inheriting descriptor: FileDescriptor) {
        self.init(takingOwnershipOf: descriptor.rawValue)
    }

    /// The descriptor, for passing it to another process. It stays owned by this value.
    public var shared: FileDescriptor { FileDescriptor(rawValue: descriptor) }

    deinit {
        close(descriptor)
    }

    /// Gives up ownership. The caller must close the descriptor.
    public consuming func release() -> CInt {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    /// Opens /dev/fuse and mounts it read-only: with mount(2) as root, with fusermount3 otherwise.
    public static func mount(at mountPoint: MountPoint, _ options: Options) throws(MountError) -> MountedDevice {
        if geteuid() == 0 { return try mountDirectly(at: mountPoint, options) }
        let execution = options.forbidsExecution ? "noexec," : ""
        let source = escaped(options.source)
        return MountedDevice(
            takingOwnershipOf: try Fusermount.mount(
                at: mountPoint.path,
                options: "ro,nosuid,nodev,noatime,\(execution)fsname=\(source),subtype=tractfs,\(options.common)"))
    }

    /// Escapes commas, which separate the options of fusermount3.
    static func escaped(_ value: String) -> String {
        value.replacing("\\", with: "\\\\").replacing(",", with: "\\,")
    }

    private static func mountDirectly(
        at mountPoint: MountPoint, _ options: Options
    ) throws(MountError) -> MountedDevice {
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw openingError(Errno(rawValue: errno)) }
        let mounted = MountedDevice(takingOwnershipOf: device)
        let data =
            "fd=\(device),rootmode=40000,user_id=\(geteuid()),group_id=\(getegid()),\(options.common)"
            + options.quotedSecurityContexts
        let execution = options.forbidsExecution ? MS_NOEXEC : 0
        let flags = UInt(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOATIME | execution)
        guard Glibc.mount(options.source, mountPoint.path, MountTable.type, flags, data) == 0 else {
            let errno = Errno(rawValue: errno)
            if errno == .notPermitted {
                throw notPermitted
            }
            if errno == .invalidArgument, !options.securityContexts.isEmpty {
                throw MountError("the kernel doesn't take the SELinux contexts; its log (dmesg) says why")
            }
            throw MountError("mount on \(mountPoint.path)", errno)
        }
        return mounted
    }

    /// The error of a process without the right to mount.
    static var notPermitted: MountError {
        MountError("mounting is not permitted here; in a container add --cap-add SYS_ADMIN")
    }

    /// Returns the error for a failed open of /dev/fuse.
    static func openingError(_ errno: Errno) -> MountError {
        switch errno {
        case .noSuchFileOrDirectory, .noSuchAddressOrDevice, Errno(rawValue: ENODEV):
            MountError(
                "there is no /dev/fuse: load the kernel's module with \"modprobe fuse\", or start the container with "
                    + "--device /dev/fuse")
        case .notPermitted, .permissionDenied:
            MountError("/dev/fuse may not be opened; in a container add --device /dev/fuse --cap-add SYS_ADMIN")
        default:
            MountError("open /dev/fuse", errno)
        }
    }
}
