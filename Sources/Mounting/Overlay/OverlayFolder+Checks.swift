import CLinux
import Glibc
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// The file systems that lack features which overlayfs needs, or that other machines write to as well.
    private static let unfitTypes: Set = [
        "9p", "afs", "aufs", "beegfs", "ceph", "cifs", "ecryptfs", "exfat", "gpfs", "lustre", "msdos", "nfs", "nfs4",
        "ntfs3", "overlay", "smb3", "vfat", "virtiofs", "wekafs",
    ]

    /// The names that may be there without being ours: ext4 has lost+found in the root of a disk.
    private static let harmless: Set = ["lost+found"]

    /// Checks that the folder can hold writes, and locks it.
    ///
    /// - Parameter mountPoint: The future mount point, which isn't checked itself.
    func check(for mountPoint: String) throws(MountError) {
        try checkLength(of: upper, "the overlay's folder")
        if let mountPoint = MountPoint.resolve(mountPoint) { try checkIsApart(from: mountPoint) }
        try checkFileSystem()
        guard flock(descriptor.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            throw MountError(
                "the overlay's folder \(path) is in use by another mount; give each mount a folder of its own")
        }
        try checkContents()
    }

    private func checkFileSystem() throws(MountError) {
        let type = FuseReadiness.fileSystemType(of: FilePath(path)) ?? ""
        if Self.unfitTypes.contains(type) || type == "fuse" || type.hasPrefix("fuse.") {
            throw MountError(
                "the overlay's folder \(path) is on \(type), where overlayfs can't keep what is written; give one on a local "
                    + "disk (ext4, xfs), in a container on a volume")
        }
        if tractfs_try_attribute(descriptor.rawValue, "trusted.tractfs") == 0 { return }
        let failure = Errno(rawValue: errno)
        switch failure {
        case .notPermitted where !FuseReadiness.isAdministrator: throw MountedDevice.notPermitted
        case .readOnlyFileSystem:
            throw MountError(
                "the overlay's folder \(path) is on a file system that is mounted read-only; give another one")
        case .notSupported, .notPermitted:
            throw MountError(
                "the overlay's folder \(path) is on \(type), which keeps no extended attributes; give one on ext4 or xfs"
            )
        default: throw MountError("write to the overlay's folder \(path)", failure)
        }
    }

    private func checkContents() throws(MountError) {
        let names = Set(DirectoryEntries.names(in: "/proc/self/fd/\(descriptor.rawValue)")).subtracting(Self.harmless)
        // An upper folder without the file that names its bucket isn't ours either.
        let foreign = names.subtracting(names.contains(Name.bucket) ? Name.ours : [Name.work, Name.socket])
        guard let first = foreign.min() else { return }
        throw MountError(
            "the overlay's folder \(path) has something else in it (\(first)); give an empty folder, or one of an "
                + "earlier mount")
    }

    /// Checks the limit of fsconfig(2), which counts the characters added by escaping.
    func checkLength(of path: String, _ subject: String) throws(MountError) {
        guard Self.escaped(path).utf8.count > FileSystemContext.valueByteCountMax else { return }
        throw MountError("the path of \(subject) is longer than overlayfs takes; give a shorter one than \(path)")
    }

    /// Escapes a path for overlayfs, in which colons separate paths and backslashes escape.
    static func escaped(_ path: String) -> String {
        path.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
    }

    /// Checks that neither the folder nor the mount point (a path without symbolic links) contains the other, and that
    /// overlayfs accepts the length of both.
    func checkIsApart(from mountPoint: String) throws(MountError) {
        try checkLength(of: mountPoint, "the mount point")
        let (folder, mountPath) = (FilePath(path), FilePath(mountPoint))
        if folder.starts(with: mountPath) {
            throw MountError("the overlay's folder \(path) is within the mount point; give another one")
        }
        if mountPath.starts(with: folder) {
            throw MountError(
                "the mount point \(mountPoint) is within the overlay's folder \(path); give another one")
        }
    }

    /// Unmounts dead overlays of ours that use the folder. They are dead because this process holds the lock.
    ///
    /// - Returns: A description of each: "s3://… from …".
    public func clearAbandoned() throws(MountError) -> [String] {
        let table: MountTable
        do { table = try MountTable() } catch { throw MountError("read the mount table", error) }
        var cleared: [String] = []
        for entry in table.entries where entry.overlayUpper == upper {
            guard entry.isOverlaid, table.mount(at: entry.mountPoint) == entry else {
                throw MountError(
                    "the overlay's folder \(path) is in use by what is mounted on \(entry.mountPoint); unmount that, or "
                        + "give another one")
            }
            try Unmount.detach(entry.mountPoint)
            cleared.append("\(entry.source) from \(entry.mountPoint)")
        }
        return cleared
    }
}
