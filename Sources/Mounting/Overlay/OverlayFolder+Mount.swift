import Glibc
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// Replaces the mount on `mountPoint` by an overlay of that mount and this folder. The mount must be served. It has
    /// no mount point afterwards, and ends with the overlay.
    ///
    /// - Parameters:
    ///   - source: The source in the mount table: "s3://…".
    ///   - forbidsExecution: `true` to mount with noexec.
    public func lay(over mountPoint: String, source: String, forbidsExecution: Bool) throws(MountError) {
        let overlay = try make(over: mountPoint, source: source, forbidsExecution: forbidsExecution)
        defer { try? overlay.close() }
        try Unmount.detach(mountPoint)
        do throws(Errno) {
            try FileSystemContext.attach(overlay, to: mountPoint)
        } catch {
            throw MountError("mount the overlay on \(mountPoint)", error)
        }
    }

    /// The options of every overlay. `redirect_dir` renames a folder of the bucket without reading it; `xino` gives all
    /// files one device number. Without `metacopy` a file is copied as a whole even if only its permissions change:
    /// data left in the bucket could be replaced by another version. `index` needs more of the lower file system than
    /// FUSE provides.
    private static let options = [
        ("redirect_dir", "on"), ("xino", "on"), ("metacopy", "off"), ("index", "off"), ("nfs_export", "off"),
    ]

    private func make(
        over mountPoint: String, source: String, forbidsExecution: Bool
    ) throws(MountError) -> FileDescriptor {
        let context: FileSystemContext
        do throws(Errno) { context = try FileSystemContext(ofType: "overlay") } catch { throw Self.missing(error) }
        let parameters = [
            ("source", Self.shortened(source)), ("lowerdir", Self.escaped(mountPoint)),
            ("upperdir", Self.escaped(upper)), ("workdir", Self.escaped(work)),
        ]
        do throws(Errno) {
            for (key, value) in parameters + Self.options { try context.set(key, to: value) }
            try context.create()
            return try context.mount(isReadOnly: false, forbidsExecution: forbidsExecution)
        } catch {
            throw MountError(
                "the kernel makes no overlay of \(path) (\(context.complaint ?? error.description)); "
                    + "its log (dmesg) may say more")
        }
    }

    private static func missing(_ errno: Errno) -> MountError {
        switch errno {
        case Errno(rawValue: ENODEV):
            MountError(
                "this kernel has no overlayfs; load its module with \"modprobe overlay\", or mount without --overlay")
        case .noFunction: MountError("this kernel is too old for --overlay, which needs Linux 5.15")
        case .notPermitted: MountedDevice.notPermitted
        default: MountError("make an overlay", errno)
        }
    }

    /// Returns the longest prefix that the kernel accepts.
    private static func shortened(_ source: String) -> String {
        var source = source
        while source.utf8.count > FileSystemContext.valueByteCountMax { source.removeLast() }
        return source
    }
}
