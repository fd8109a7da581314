import Glibc
import SystemPackage
import SystemSupport

extension OverlayFolder {
    /// Lays the overlay over what is mounted on `mountPoint`, and answers. The overlay takes that mount's place: what was there is
    /// nowhere in the tree any more, and ends with the overlay.
    ///
    /// - Parameters:
    ///   - source: What the mount table calls it: "s3://…".
    ///   - forbidsExecution: Whether no file in it may be executed.
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

    /// What holds for every overlay of ours. A folder of the bucket can be renamed without being read (`redirect_dir`), and all files
    /// have one device number (`xino`). A file is copied as a whole before it is written to, even if only its permissions change: were
    /// its data left in the bucket (`metacopy`), they could be those of another version one day. No index, which needs more of the
    /// lower file system than FUSE gives.
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
                "the kernel makes no overlay of \(path) (\(context.complaint ?? error.description)); its log (dmesg) may say more"
            )
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

    /// As much of it as the kernel takes.
    private static func shortened(_ source: String) -> String {
        var source = source
        while source.utf8.count > FileSystemContext.valueByteCountMax { source.removeLast() }
        return source
    }
}
