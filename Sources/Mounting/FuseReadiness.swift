import Glibc
public import SystemPackage
import SystemSupport

/// The features of this machine and the rights of this process that mounts need. Checking them mounts nothing.
public enum FuseReadiness {
    /// Returns the reason that this process can't mount; `nil` if none is visible without trying.
    ///
    /// - Parameter allowsOthers: `true` if the mount is for other users as well (`--allow-other`).
    public static func obstacle(allowsOthers: Bool) -> MountError? {
        if access("/dev/fuse", F_OK) != 0 { return MountedDevice.openingError(Errno(rawValue: errno)) }
        guard geteuid() == 0 else { return Fusermount.problem(allowsOthers: allowsOthers) }
        let device = open("/dev/fuse", O_RDWR | O_CLOEXEC)
        guard device >= 0 else { return MountedDevice.openingError(Errno(rawValue: errno)) }
        close(device)
        return isAdministrator ? nil : MountedDevice.notPermitted
    }

    /// A reason that the kernel doesn't read files of the disk cache itself.
    public enum PassthroughObstacle: Hashable, Sendable {
        /// The kernel is older than Linux 6.9.
        case kernelTooOld
        /// Registering a backing file needs CAP_SYS_ADMIN in the initial user namespace.
        case notPermitted
        /// The files are on a stacked file system of this type, which the kernel refuses.
        case stackedFileSystem(String)
    }

    /// Returns the reason that the kernel won't read files in `folder` itself; `nil` if none is visible.
    ///
    /// - Parameter folder: An absolute path without symbolic links.
    public static func passthroughObstacle(for folder: FilePath) -> PassthroughObstacle? {
        if KernelVersion.running()?.hasPassthrough == false { return .kernelTooOld }
        guard isAdministrator, isInInitialUserNamespace else { return .notPermitted }
        guard let type = fileSystemType(of: folder), stackedTypes.contains(type) else { return nil }
        return .stackedFileSystem(type)
    }

    /// `true` if the kernel can send the requests of a dead server to its successor (FUSE_NOTIFY_RESEND), or if its
    /// version is unknown.
    public static var canBeTakenOver: Bool { KernelVersion.running()?.resendsRequests ?? true }

    /// The release of the running kernel, as printed by `uname -r`.
    public static var kernelRelease: String { KernelVersion.runningRelease ?? "unknown" }

    /// `true` if the kernel has SELinux, and it is enabled.
    public static var hasSELinux: Bool {
        words(of: "/proc/filesystems").contains("selinuxfs")
    }

    /// Returns the type of the file system that contains `folder`, an absolute path without symbolic links: "ext4".
    public static func fileSystemType(of folder: FilePath) -> String? {
        (try? MountTable())?.mount(containing: folder)?.type
    }

    /// The types that are stacked on other file systems (the kernel's `s_stack_depth`). Ours is one, because it may
    /// pass reads through to a disk.
    private static let stackedTypes: Set = ["overlay", "ecryptfs", "aufs", MountTable.type]

    /// `true` if the process has CAP_SYS_ADMIN (capabilities(7)), bit 21 of the effective set in /proc/self/status.
    static var isAdministrator: Bool {
        let words = words(of: "/proc/self/status")
        let bits = words.firstIndex(of: "CapEff:").flatMap { UInt64(words[$0 + 1], radix: 16) }
        return (bits ?? 0) & (1 << 21) != 0
    }

    /// `true` if every user ID maps to itself (user_namespaces(7)).
    private static var isInInitialUserNamespace: Bool {
        words(of: "/proc/self/uid_map") == ["0", "0", "4294967295"]
    }

    private static func words(of path: String) -> [Substring] {
        (SystemFile.text(path, limit: 65_536) ?? "").split(whereSeparator: \.isWhitespace)
    }
}
