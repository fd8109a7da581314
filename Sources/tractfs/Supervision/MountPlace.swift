import FuseBridge
import Glibc
import Logging
import SystemPackage

/// Where a mount is, and which one it is: on the same path there may be another one by now.
struct MountPlace: Hashable {
    /// The mount point, resolved.
    let path: String
    /// The mount's device number, "MAJOR:MINOR"; empty where it isn't known.
    let device: String
    /// Where the overlay keeps what is written that lies on the mount, or is going to; `nil` for none. The overlay then is what is
    /// mounted on the path.
    var overlayUpper: String?

    init(path: String, device: String) {
        self.path = path
        self.device = device
    }

    /// What has just been mounted on `mountPoint`, for that overlay.
    init(mountedOn mountPoint: MountPoint, overlay: OverlayFolder?) {
        self.init(path: mountPoint.path, device: Self.mount(on: mountPoint.path)?.device ?? "")
        overlayUpper = overlay?.upper
    }

    /// The place of a device that another program has mounted, in a place that isn't known: there is nothing to detach.
    ///
    /// - Parameter file: The device. Linux tells the number of its connection from 6.16 on; before, nothing but the mounter's
    ///   closing it ends the connection.
    init(handedAs path: String, _ file: FileDescriptor) {
        let line = ProcessState.text("/proc/self/fdinfo/\(file.rawValue)")?.split(separator: "\n")
            .first { $0.hasPrefix("fuse_connection:") }
        let number = line?.split(whereSeparator: \.isWhitespace).last.flatMap { UInt32($0) }
        self.init(path: path, device: number.map { "0:\($0)" } ?? "")
    }

    /// The place in one line, for another process: "MAJOR:MINOR PATH".
    var text: String { "\(device) \(path)" }

    init?(_ text: String) {
        let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        self.init(path: String(parts[1]), device: String(parts[0]))
    }

    /// Sees to it that nothing stays mounted. What is mounted there may be somebody else's by now: ours may have been detached
    /// before, and have lived on for a file that was open.
    func detach(logger: Logger) {
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

    /// Ends the mount's conversation with the kernel: whoever waits for it, a hanging server too, gets an error.
    func abort() {
        if let file = try? FileDescriptor.open(FilePath(control("abort")), .writeOnly, options: .closeOnExec) {
            _ = try? file.closeAfter { try file.writeAll("1\n".utf8) }
        } else if let mount = Self.mount(on: path), mount.device == device {
            // For root the same, also where there is no /sys/fs/fuse.
            umount2(path, CInt(MNT_FORCE) | CInt(UMOUNT_NOFOLLOW))
        }
    }

    /// How many requests the kernel waits for; `nil` where it doesn't tell.
    var waitingCount: UInt64? {
        ProcessState.text(control("waiting")).flatMap { UInt64($0.prefix { $0.isNumber }) }
    }

    /// One of the files that the kernel shows a mount's conversation by. The number of a connection is that of the device,
    /// whose major number is 0 (fs/fuse in the kernel's documentation).
    private func control(_ name: String) -> String {
        "/sys/fs/fuse/connections/\(device.split(separator: ":").last ?? "")/\(name)"
    }

    private static func mount(on path: String) -> MountTable.Entry? {
        (try? MountTable())?.mount(at: path)
    }
}
