import Glibc
public import SystemPackage
import SystemSupport

/// Checks the requirements of mounts on this machine and in this process, without mounting.
public enum FuseReadiness {
    /// Returns the reason why this process cannot mount; `nil` if no obstacle can be seen without trying.
    ///
    /// - Parameter allowsOthers: `true` if other users are to use the mount too (`--allow-other`).
    public static func obstacle(allowsOthers: Bool) -> MountError? {
        if access("/dev/fuse", F_OK) != 0 { return MountedDevice.openingError(Errno(rawValue: errno)) }
        guard geteuid() == 0 else { return Fusermount.problem(allowsOthers: allowsOthers) }
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { return MountedDevice.openingError(Errno(rawValue: errno)) }
        close(device)
        return isAdministrator ? nil : MountedDevice.notPermitted
    }

    /// The reason why the kernel cannot read files of the cache directly.
    public enum PassthroughObstacle: Hashable, Sendable {
        /// The kernel is older than Linux 6.9.
        case kernelTooOld
        /// Backing files need CAP_SYS_ADMIN in the initial user namespace.
        case notPermitted
        /// The cache is on a stacked file system of this type.
        case stackedFileSystem(String)
    }

    /// Returns the reason why the kernel cannot read files in `folder` directly; `nil` if there is no obstacle.
    ///
    /// - Parameter folder: An absolute path without symbolic links.
    public static func passthroughObstacle(for folder: FilePath) -> PassthroughObstacle? {
        if KernelVersion.running()?.hasPassthrough == false { return .kernelTooOld }
        guard isAdministrator, isInFirstUserNamespace else { return .notPermitted }
        guard let type = fileSystemType(of: folder), stackedTypes.contains(type) else { return nil }
        return .stackedFileSystem(type)
    }

    /// `true` if the kernel can resend requests that an earlier server has read (FUSE_NOTIFY_RESEND). A kernel of
    /// unknown version counts as new.
    public static var canBeTakenOver: Bool { KernelVersion.running()?.resendsRequests ?? true }

    /// The release of the running kernel, as `uname -r` prints it.
    public static var kernelRelease: String {
        var name = utsname()
        guard uname(&name) == 0 else { return "unknown" }
        return withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    /// `true` if the kernel has SELinux enabled.
    public static var hasSELinux: Bool {
        contents(of: "/proc/filesystems").split(whereSeparator: \.isWhitespace).contains("selinuxfs")
    }

    /// Returns the type of the file system of `folder`, an absolute path without symbolic links: "ext4".
    public static func fileSystemType(of folder: FilePath) -> String? {
        (try? MountTable())?.mount(containing: folder)?.type
    }

    /// The stacked file systems (the kernel's `s_stack_depth`), including FUSE with passthrough.
    private static let stackedTypes: Set = ["overlay", "ecryptfs", "aufs", MountTable.type]

    /// CAP_SYS_ADMIN (capabilities(7)), bit 21 of the effective set in proc(5)'s status.
    static var isAdministrator: Bool {
        let line = contents(of: "/proc/self/status").split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let bits = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt64($0, radix: 16) }
        return (bits ?? 0) & (1 << 21) != 0
    }

    /// `true` in the initial user namespace, which maps all user IDs to themselves (user_namespaces(7)).
    private static var isInFirstUserNamespace: Bool {
        contents(of: "/proc/self/uid_map").split(whereSeparator: \.isWhitespace) == ["0", "0", "4294967295"]
    }

    private static func contents(of path: FilePath) -> String {
        guard let file = try? FileDescriptor.open(path, .readOnly, options: .closeOnExec) else { return "" }
        let bytes = try? file.closeAfter { try file.readToEnd(limit: 65_536) }
        return String(decoding: bytes ?? [], as: UTF8.self)
    }
}
