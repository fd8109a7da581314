import Glibc
public import SystemPackage
import SystemSupport

/// What this machine and this process have of what mounts need. Nothing is mounted to find that out.
public enum FuseReadiness {
    /// Why this process can't mount; `nil` where it can, as far as one sees without trying.
    ///
    /// - Parameter allowsOthers: Whether other users are to use the mount too (`--allow-other`).
    public static func obstacle(allowsOthers: Bool) -> MountError? {
        if access("/dev/fuse", F_OK) != 0 { return MountedDevice.openingError(Errno(rawValue: errno)) }
        guard geteuid() == 0 else { return Fusermount.problem(allowsOthers: allowsOthers) }
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { return MountedDevice.openingError(Errno(rawValue: errno)) }
        close(device)
        return isAdministrator ? nil : MountedDevice.notPermitted
    }

    /// Why the kernel wouldn't read files of the cache by itself.
    public enum PassthroughObstacle: Hashable, Sendable {
        /// Linux learnt it in 6.9.
        case kernelTooOld
        /// Lending files takes root's rights (CAP_SYS_ADMIN), those of the machine, not of a user namespace.
        case notPermitted
        /// Files on a file system that lies on another one, of this type, are not taken.
        case stackedFileSystem(String)
    }

    /// Why the kernel wouldn't read files in `folder` by itself; `nil` where nothing is seen that keeps it from that.
    ///
    /// - Parameter folder: An absolute path without links.
    public static func passthroughObstacle(for folder: FilePath) -> PassthroughObstacle? {
        if KernelVersion.running()?.hasPassthrough == false { return .kernelTooOld }
        guard isAdministrator, isInFirstUserNamespace else { return .notPermitted }
        guard let type = fileSystemType(of: folder), stackedTypes.contains(type) else { return nil }
        return .stackedFileSystem(type)
    }

    /// Whether the kernel can hand out again what a server that is gone has taken (FUSE_NOTIFY_RESEND). Where it doesn't say
    /// how old it is, it is taken for new.
    public static var canBeTakenOver: Bool { KernelVersion.running()?.resendsRequests ?? true }

    /// The release of the running kernel, as "uname -r" prints it.
    public static var kernelRelease: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// `true` if the kernel has SELinux, and it is enabled.
    public static var hasSELinux: Bool {
        contents(of: "/proc/filesystems").split(whereSeparator: \.isWhitespace).contains("selinuxfs")
    }

    /// The type of the file system that `folder`, an absolute path without links, lies in: "ext4".
    public static func fileSystemType(of folder: FilePath) -> String? {
        (try? MountTable())?.mount(containing: folder)?.type
    }

    /// Those that lie on others (the kernel's `s_stack_depth`), our own among them: they may read through to a disk.
    private static let stackedTypes: Set = ["overlay", "ecryptfs", "aufs", MountTable.type]

    /// CAP_SYS_ADMIN (capabilities(7)), bit 21 of the effective set in proc(5)'s status.
    static var isAdministrator: Bool {
        let line = contents(of: "/proc/self/status").split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let bits = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) }
        return (bits ?? 0) & (1 << 21) != 0
    }

    /// In the first one all numbers of users stand for themselves (user_namespaces(7)).
    private static var isInFirstUserNamespace: Bool {
        contents(of: "/proc/self/uid_map").split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
    }

    private static func contents(of path: FilePath) -> String {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return "" }
        let bytes = try? file.closeAfter { try file.readToEnd(limit: 65_536) }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
