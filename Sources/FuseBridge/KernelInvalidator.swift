import Mounting
import Logging
import Namespace
import struct SystemPackage.Errno

/// Makes a kernel release or invalidate cached names, by the notifications that its protocol version has and that it
/// has not refused.
///
/// Used by one thread.
struct KernelInvalidator: Sendable {
    private let device: any NotificationDevice
    private let logger: Logger
    /// The overlay that holds names of the mount; `nil` for none.
    private var overlay: OverlayDentries?
    /// `true` while the kernel accepts FUSE_NOTIFY_PRUNE.
    private var prunes: Bool
    /// `true` while the kernel accepts FUSE_NOTIFY_INC_EPOCH.
    private var incrementsEpoch: Bool
    /// `true` if the kernel knows FUSE_EXPIRE_ONLY. Older kernels ignore this flag and drop the name.
    private let expires: Bool

    init(device: any NotificationDevice, protocolMinor: Int, overlay: OverlayDentries? = nil, logger: Logger) {
        self.device = device
        self.overlay = overlay
        self.logger = logger
        prunes = protocolMinor >= 45
        // Overlayfs returns ESTALE for outdated names, even for those of folders that a process works in.
        incrementsEpoch = overlay == nil && protocolMinor >= 44
        expires = protocolMinor >= 38
    }

    /// Returns `true` if negative entries can be invalidated. The kernel does not count lookups of them, so that it
    /// takes a notification for all names.
    static func canInvalidateNegativeEntries(protocolMinor: Int) -> Bool {
        protocolMinor >= 44
    }

    /// Makes the kernel forget inodes that are not in use.
    mutating func release(_ names: [KernelName]) {
        overlay?.dropUnused()
        for start in stride(from: 0, to: names.count, by: KernelNotification.pruneCountMax) where prunes {
            let some = names[start..<min(start + KernelNotification.pruneCountMax, names.count)]
            prunes = notify(.prune(some.map(\.child)))
        }
        if prunes { return }
        // A process whose working directory is dropped from the tree loses its path (getcwd(3)), even if a later lookup
        // finds the same directory. Directories are few, so they stay.
        for name in names where !name.isDirectory { _ = notify(.drop(parent: name.parent, name: name.name)) }
    }

    /// Makes the kernel look names up again before it uses them.
    mutating func invalidate(_ names: () -> [KernelName]) {
        if incrementsEpoch { incrementsEpoch = notify(.incrementEpoch) }
        if incrementsEpoch { return }
        defer { forgetOverlay() }
        for name in names() {
            if expires {
                _ = notify(.expire(parent: name.parent, name: name.name))
            } else if !name.isDirectory {
                _ = notify(.drop(parent: name.parent, name: name.name))
            }
        }
    }

    private func forgetOverlay() {
        do throws(Errno) {
            try overlay?.dropAllUnused()
        } catch {
            logger.info("cannot invalidate the overlay's negative entries", metadata: ["reason": "\(error)"])
        }
    }

    /// Sends a notification. Returns `false` if the kernel does not support it.
    private func notify(_ notification: KernelNotification) -> Bool {
        do throws(Errno) {
            try device.notify(notification)
        } catch {
            switch error {
            case .noSuchFileOrDirectory:
                // The kernel has no such inode or name.
                return true
            case .invalidArgument, .noFunction, .notSupportedOnSocket:
                logger.info("notification not supported by the kernel", metadata: ["reason": "\(error)"])
                return false
            default:
                logger.debug("notification failed", metadata: ["reason": "\(error)"])
            }
        }
        return true
    }
}
