import Logging
import Mounting
import Namespace
import struct SystemPackage.Errno

/// Says things to one kernel in the words that it understands, judged by the protocol's version and by what it refuses.
///
/// Used by one thread.
struct KernelMessenger: Sendable {
    private let device: any NotificationDevice
    private let logger: Logger
    /// What holds on to names above the mount; `nil` where nothing does.
    private var overlay: OverlayDentries?
    /// FUSE_NOTIFY_PRUNE.
    private var prunes: Bool
    /// FUSE_NOTIFY_INC_EPOCH.
    private var distrustsAll: Bool
    /// FUSE_EXPIRE_ONLY. Where there is no such thing the flag is ignored, and names are dropped.
    private let expires: Bool

    init(device: any NotificationDevice, protocolMinor: Int, overlay: OverlayDentries? = nil, logger: Logger) {
        self.device = device
        self.overlay = overlay
        self.logger = logger
        prunes = protocolMinor >= 45
        // Overlayfs gives ESTALE for names that are out of date, those of folders that somebody works in as well.
        distrustsAll = overlay == nil && protocolMinor >= 44
        expires = protocolMinor >= 38
    }

    /// Whether the kernel can be told to ask again about names that it knows to be absent: nobody counts these, so only
    /// where all names can be distrusted.
    static func distrustsAbsences(protocolMinor: Int) -> Bool {
        protocolMinor >= 44
    }

    /// Has the kernel forget inodes that nobody uses.
    mutating func release(_ names: [KernelName]) {
        overlay?.dropUnused()
        for start in stride(from: 0, to: names.count, by: KernelNotification.pruneCountMax) where prunes {
            let some = names[start..<min(start + KernelNotification.pruneCountMax, names.count)]
            prunes = tell(.prune(some.map(\.child)))
        }
        if prunes { return }
        // A directory that is taken out of the tree has no path any more for who works in it (getcwd(3)), also if it is
        // the same one when it is looked up again. They are few, so they stay.
        for name in names where !name.isDirectory { _ = tell(.drop(parent: name.parent, name: name.name)) }
    }

    /// Has the kernel ask again about names.
    mutating func distrust(_ names: () -> [KernelName]) {
        if distrustsAll { distrustsAll = tell(.distrustAll) }
        if distrustsAll { return }
        defer { forgetOverlay() }
        for name in names() {
            if expires {
                _ = tell(.expire(parent: name.parent, name: name.name))
            } else if !name.isDirectory {
                _ = tell(.drop(parent: name.parent, name: name.name))
            }
        }
    }

    private func forgetOverlay() {
        do throws(Errno) {
            try overlay?.dropAllUnused()
        } catch {
            logger.info("the kernel keeps absent names for a while", metadata: ["reason": "\(error)"])
        }
    }

    /// Returns whether the kernel knows such notifications.
    private func tell(_ notification: KernelNotification) -> Bool {
        do throws(Errno) {
            try device.notify(notification)
        } catch {
            switch error {
            case .noSuchFileOrDirectory:
                // It didn't know the inode or the name.
                return true
            case .invalidArgument, .noFunction, .notSupportedOnSocket:
                logger.info("the kernel does not take a notification", metadata: ["reason": "\(error)"])
                return false
            default:
                logger.debug("a notification failed", metadata: ["reason": "\(error)"])
            }
        }
        return true
    }
}
