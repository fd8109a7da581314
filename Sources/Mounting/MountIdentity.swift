import Glibc
public import Logging
public import SystemPackage
import SystemSupport

/// A particular mount: its path and device number. Later there may be another mount on the same path.
public struct MountIdentity: Hashable, Sendable {
    /// The mount point, without symbolic links.
    public let path: String
    /// The mount's device number, "MAJOR:MINOR"; empty if it is unknown.
    public let device: String
    /// The upper folder of the overlay on the mount; `nil` if there is none. With an overlay, the overlay is the
    /// visible mount on the path.
    public var overlayUpper: String?

    /// Creates the identity of the mount of `device` on `path`.
    public init(path: String, device: String, overlayUpper: String? = nil) {
        self.path = path
        self.device = device
        self.overlayUpper = overlayUpper
    }

    /// Identifies the mount that was just made on `mountPoint`, and is to get this overlay.
    public init(mountedOn mountPoint: MountPoint, overlay: OverlayFolder?) {
        self.init(
            path: mountPoint.path, device: Self.mount(on: mountPoint.path)?.device ?? "", overlayUpper: overlay?.upper)
    }

    /// Identifies the mount of a device that another program has mounted. Its mount point is unknown, so it can't be
    /// detached.
    ///
    /// - Parameter file: The device. Linux tells its connection number from 6.16 on. Before that, only the mounting
    ///   program can end the connection, by closing the device.
    public init(handedAs path: String, _ file: FileDescriptor) {
        let line = SystemFile.text("/proc/self/fdinfo/\(file.rawValue)")?.split(separator: "\n")
            .first { $0.hasPrefix("fuse_connection:") }
        let number = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt32($0) }
        self.init(path: path, device: number.map { "0:\($0)" } ?? "")
    }

    /// Detaches the mount, unless the mount on the path is another one: this mount may have been detached before, and
    /// have continued for an open file.
    public func detach(logger: Logger) {
        guard let mount = Self.mount(on: path), isThis(mount) else { return }
        do {
            try Unmount.detach(path)
        } catch {
            logger.warning("\(error)")
        }
    }

    private func isThis(_ mount: MountTable.Entry) -> Bool {
        if mount.isTractfs { return mount.device == device }
        return mount.isOverlaid && mount.overlayUpper == overlayUpper
    }

    /// Aborts the mount's connection to the kernel. All waiting processes get an error, and so does a hanging server.
    public func abort() {
        if let file = try? FileDescriptor.open(FilePath(control("abort")), .writeOnly, options: .closeOnExec) {
            _ = try? file.closeAfter { try file.writeAll("1\n".utf8) }
        } else if let mount = Self.mount(on: path), mount.device == device {
            // Has the same effect for root, without /sys/fs/fuse.
            umount2(path, CInt(MNT_FORCE) | CInt(UMOUNT_NOFOLLOW))
        }
    }

    /// The number of requests without a reply, as counted by the kernel; `nil` if it is unknown.
    public var waitingCount: UInt64? {
        SystemFile.text(control("waiting")).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// Returns the path of a control file of the mount's connection (Documentation/filesystems/fuse.rst of Linux). The
    /// number of a connection is the minor device number; the major number is 0.
    private func control(_ name: String) -> String {
        "/sys/fs/fuse/connections/\(device.split(separator: ":").last ?? "")/\(name)"
    }

    private static func mount(on path: String) -> MountTable.Entry? {
        (try? MountTable())?.mount(at: path)
    }
}
