import CLinux
import Glibc
import SystemPackage
import SystemSupport

/// The file system that contains a cache directory, and its relation to other machines.
public struct CacheFileSystem: Hashable, Sendable {
    /// The type, as in a mount table: "nfs4".
    public let type: String
    /// `true` if other machines may use the file system too.
    public let isShared: Bool
    /// `true` if the machines see each other's locks (fcntl(2)), judging by the type and the options of the mount;
    /// `true` if `isShared` is `false`.
    public let hasSharedLocks: Bool

    /// The reach of the locks of a type of file system that machines share.
    private enum Locks {
        /// Locks that all machines see.
        case seen
        /// Locks that all machines see if the mount has this option.
        case seenWith(String)
        /// Locks that all machines see, unless the mount has one of these options.
        case seenWithout(Set<String>)
        /// Locks that only this machine sees, or of unknown reach.
        case unseen
    }

    /// The types that machines share, by `f_type` of statfs(2) (linux/magic.h; stat(1) for those outside of Linux).
    private static let sharedTypes: [UInt32: (name: String, locks: Locks)] = [
        0x0000_6969: ("nfs", .seenWithout(["nolock", "local_lock=all", "local_lock=posix"])),
        0x0BD0_0BD0: ("lustre", .seenWith("flock")),
        0x00C3_6400: ("ceph", .seen),
        0x4750_4653: ("gpfs", .seen),
        0x0116_1970: ("gfs2", .seenWithout(["localflocks", "lockproto=lock_nolock"])),
        0x7461_636F: ("ocfs2", .unseen),
        0x1983_0326: ("beegfs", .unseen),
        0x0000_517B: ("smb", .seenWithout(["nobrl"])),
        0xFE53_4D42: ("smb3", .seenWithout(["nobrl"])),
        0xFF53_4D42: ("cifs", .seenWithout(["nobrl"])),
        0x0102_1997: ("9p", .unseen),
        0x6573_5546: ("fuse", .unseen),
        0x5346_414F: ("afs", .unseen),
        0x6B41_4653: ("afs", .unseen),
        0x7375_7245: ("coda", .unseen),
        0xAAD7_AAEA: ("panfs", .unseen),
        0x2003_0528: ("orangefs", .unseen),
        0x0000_564C: ("ncp", .unseen),
        0x0131_11A8: ("ibrix", .unseen),
        0xBEEF_DEAD: ("snfs", .unseen),
        0x6163_6673: ("acfs", .unseen),
        0x786F_4256: ("vboxsf", .unseen),
        0xBACB_ACBC: ("vmhgfs", .unseen),
        0x7C7C_6673: ("prl_fs", .unseen),
    ]

    /// Network file systems without a known `f_type`, by their names in the mount table.
    private static let sharedNames: Set = ["wekafs", "beegfs", "lustre", "gpfs", "panfs", "quobyte", "pvfs2"]

    /// FUSE file systems on a disk of this machine.
    private static let localFuseTypes: Set = ["fuseblk", "fuse.fuse-overlayfs"]

    /// Creates a description of a file system from its type and its mount.
    ///
    /// - Parameters:
    ///   - magic: The `f_type` of statfs(2).
    ///   - mount: The type and the options in the mount table; `nil` if unknown.
    init(magic: UInt32, mount: (type: String, options: Set<String>)?) {
        let named = mount.flatMap { Self.sharedNames.contains($0.type) ? (name: $0.type, locks: Locks.unseen) : nil }
        let shared = Self.sharedTypes[magic] ?? named
        type = mount?.type ?? shared?.name ?? "unknown"
        guard let shared, !Self.localFuseTypes.contains(type) else {
            (isShared, hasSharedLocks) = (false, true)
            return
        }
        let options = mount?.options ?? []
        isShared = true
        hasSharedLocks =
            switch shared.locks {
            case .seen: true
            case .seenWith(let option): options.contains(option)
            case .seenWithout(let local): options.isDisjoint(with: local)
            case .unseen: false
            }
    }

    /// The environment variable that sets the file system of every folder, "TYPE[,OPTION]…". For tests.
    static let variable = "TRACTFS_ASSUMED_FILE_SYSTEM"

    /// Determines the file system of an open directory.
    init(of directory: LocalFile) {
        if let assumed = getenv(Self.variable).map({ String(cString: $0) }), assumed.contains(where: { $0 != "," }) {
            var options = assumed.split(separator: ",").map(String.init)
            let type = options.removeFirst()
            let magic = Self.sharedTypes.first { type.split(separator: ".")[0].hasPrefix($0.value.name) }?.key
            self.init(magic: magic ?? 0, mount: (type, Set(options)))
            return
        }
        let device = (try? directory.status())?.device
        self.init(
            magic: tractfs_file_system_type(directory.descriptor), mount: device.flatMap(Self.mount(of:)))
    }

    /// Returns the type and the options of the mount with this device number, from the kernel's mount table (proc(5)).
    private static func mount(of device: UInt64) -> (type: String, options: Set<String>)? {
        guard let table = SystemFile.text("/proc/self/mountinfo", limit: 1 << 24) else { return nil }
        let number = "\(device >> 8 & 0xFFF | device >> 32 & ~0xFFF):\(device & 0xFF | device >> 12 & 0xFFFF_FF00)"
        for line in table.split(separator: "\n") {
            // "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw"
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2, halves[0].split(separator: " ").dropFirst(2).first == number[...] else { continue }
            let fields = halves[1].split(separator: " ")
            guard fields.count >= 3 else { return nil }
            return (String(fields[0]), Set(fields[2].split(separator: ",").map(String.init)))
        }
        return nil
    }
}
