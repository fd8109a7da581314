import CFuse
import Glibc
public import SystemPackage

/// An open /dev/fuse that is mounted somewhere: who has it answers for the mount. Closing it ends the mount's
/// conversation, so it is owned by one, and closed if nobody takes it over.
public struct MountedDevice: ~Copyable, Sendable {
    private let descriptor: CInt

    /// What the kernel is told when something is mounted.
    public struct Options: Sendable {
        /// What is mounted, for the mount table: "s3://BUCKET/PREFIX".
        public var source: String
        /// Whether users other than the one who mounts may use it (`--allow-other`).
        public var allowsOthers: Bool
        /// Whether no file may be executed, whatever its permissions say (`--noexec`).
        public var forbidsExecution: Bool
        /// SELinux contexts, by the kernel's names, for mounts of root's.
        public var securityContexts: [(name: String, value: String)] = []

        /// These options; all else is the same for every mount.
        public init(source: String, allowsOthers: Bool, forbidsExecution: Bool = false) {
            self.source = source
            self.allowsOthers = allowsOthers
            self.forbidsExecution = forbidsExecution
        }

        /// The same contexts for mount(2): their commas are part of them.
        var quotedSecurityContexts: String {
            securityContexts.map { ",\($0.name)=\"\($0.value)\"" }.joined()
        }

        /// Shared by mount(2) and fusermount3: permissions are checked by the kernel, and reads may be as long as libfuse
        /// is told in FUSE_INIT.
        fileprivate var common: String {
            "default_permissions,max_read=\(FuseSession.readByteCountLimit)" + (allowsOthers ? ",allow_other" : "")
        }
    }

    private init(takingOwnershipOf descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// A device that another process has mounted, and that this one now answers for.
    public init(inheriting descriptor: FileDescriptor) {
        self.init(takingOwnershipOf: descriptor.rawValue)
    }

    /// What to hand to another process, so that it has the device too.
    public var shared: FileDescriptor { FileDescriptor(rawValue: descriptor) }

    deinit {
        close(descriptor)
    }

    /// The descriptor, which is the caller's to close from now on.
    consuming func release() -> CInt {
        let descriptor = descriptor
        discard self
        return descriptor
    }

    /// Opens /dev/fuse and mounts it, read-only: with mount(2) where this process may, and with the help of fusermount3
    /// otherwise.
    public static func mount(at mountPoint: MountPoint, _ options: Options) throws(MountError) -> MountedDevice {
        if geteuid() == 0 { return try mountDirectly(at: mountPoint, options) }
        return MountedDevice(
            takingOwnershipOf: try Fusermount.mount(
                at: mountPoint.path,
                options:
                    "ro,nosuid,nodev,noatime,\(options.forbidsExecution ? "noexec," : "")fsname=\(escaped(options.source)),subtype=tractfs,\(options.common)"
            ))
    }

    /// fusermount3 takes commas for the ends of options, unless a backslash stands before them.
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

    /// What to do where mount(2) may not be called.
    static var notPermitted: MountError {
        MountError("mounting is not permitted here; in a container add --cap-add SYS_ADMIN")
    }

    /// What to do about a /dev/fuse that can't be opened.
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
