import Glibc
public import SystemPackage
import SystemSupport

/// The kernel's dentries of an overlay, which pin those of the mount below it.
///
/// As long as the overlay has a dentry, the kernel can't prune the lower one, doesn't look up a negative one again, and
/// returns ESTALE for one whose lower dentry has become outdated.
public struct OverlayDentries: Sendable {
    /// The overlay's mount point.
    private let path: String
    /// The mount's /dev/fuse.
    private let device: FileDescriptor
    private var lastDrop: ContinuousClock.Instant?

    /// The least time between two drops. More frequent ones would cost more than the memory that they free is worth.
    private static let dropInterval: Duration = .milliseconds(100)

    /// The dentries of the overlay on `path`, above the mount of `device`.
    public init(overlaidAt path: String, device: FileDescriptor) {
        self.path = path
        self.device = device
    }

    /// Drops the overlay's unused dentries, so that the kernel can prune those of the mount. Waits first if the last
    /// drop was less than `dropInterval` ago.
    public mutating func dropUnused() {
        if let lastDrop {
            let rest = Self.dropInterval - (ContinuousClock.now - lastDrop)
            if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
        }
        drop()
        lastDrop = .now
    }

    /// Drops the unused dentries of the overlay and of the mount, so that the kernel looks up every unused name again,
    /// negative entries included.
    public func dropAllUnused() throws(Errno) {
        drop()
        let mount = try LowerMount.make(of: device)
        defer { try? mount.close() }
        try FileSystemContext(rootedAt: mount).reconfigure()
    }

    /// Ignores errors: the overlay isn't mounted yet, or no longer.
    private func drop() {
        do throws(Errno) { try FileSystemContext(mountedOn: path).reconfigure() } catch {}
    }
}
