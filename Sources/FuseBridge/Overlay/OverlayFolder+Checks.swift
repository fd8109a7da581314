import CLinux
import Glibc
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// File systems on which overlayfs can't keep all that it must, or which other machines write to as well.
    private static let unfitTypes: Set = [
        "9p", "afs", "aufs", "beegfs", "ceph", "cifs", "ecryptfs", "exfat", "gpfs", "lustre", "msdos", "nfs", "nfs4",
        "ntfs3", "overlay", "smb3", "vfat", "virtiofs", "wekafs",
    ]

    /// What may lie there without being ours: ext4 has it in the topmost folder of a disk.
    private static let harmless: Set = ["lost+found"]

    /// Sees whether what is written can be kept in the folder, and takes its lock.
    ///
    /// - Parameter mountPoint: Where the overlay is going to be; whether something can be there is not its subject.
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
        // An upper folder that nobody has noted the bucket of isn't ours either.
        let foreign = names.subtracting(names.contains(Name.bucket) ? Name.ours : [Name.work, Name.socket])
        guard let first = foreign.min() else { return }
        throw MountError(
            "the overlay's folder \(path) has something else in it (\(first)); give an empty folder, or one of an earlier mount"
        )
    }

    /// fsconfig(2) takes no more, be it a path's bytes or those that escape them.
    func checkLength(of path: String, _ subject: String) throws(MountError) {
        guard Self.escaped(path).utf8.count > FileSystemContext.valueByteCountMax else { return }
        throw MountError("the path of \(subject) is longer than overlayfs takes; give a shorter one than \(path)")
    }

    /// A path as overlayfs takes it: a colon divides paths, and a backslash makes either mean itself.
    static func escaped(_ path: String) -> String {
        path.replacing("\\", with: "\\\\").replacing(":", with: "\\:")
    }

    /// Checks that neither the folder nor the mount point, a path without links, hides the other, and that overlayfs takes both.
    func checkIsApart(from mountPoint: String) throws(MountError) {
        try checkLength(of: mountPoint, "the mount point")
        let (folder, place) = (FilePath(path), FilePath(mountPoint))
        if folder.starts(with: place) {
            throw MountError("the overlay's folder \(path) is within the mount point; give another one")
        }
        if place.starts(with: folder) {
            throw MountError(
                "the mount point \(mountPoint) is within the overlay's folder \(path); give another one")
        }
    }

    /// Unmounts overlays of ours that use the folder: this process has its lock, so theirs are gone.
    ///
    /// - Returns: What was mounted, "s3://… on …".
    public func clearAbandoned() throws(MountError) -> [String] {
        let table: MountTable
        do { table = try MountTable() } catch { throw MountError("read the mount table", error) }
        var cleared: [String] = []
        for entry in table.entries where entry.overlayUpper == upper {
            guard entry.isOverlaid, table.mount(at: entry.mountPoint) == entry else {
                throw MountError(
                    "the overlay's folder \(path) is in use by what is mounted on \(entry.mountPoint); unmount that, or give another one"
                )
            }
            try Unmount.detach(entry.mountPoint)
            cleared.append("\(entry.source) from \(entry.mountPoint)")
        }
        return cleared
    }
}
