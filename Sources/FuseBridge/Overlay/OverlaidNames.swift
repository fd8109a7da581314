import Glibc
import SystemPackage
import SystemSupport

/// Has the kernel let go of what it knows of names in an overlay, and so in the mount that it lies on.
///
/// The overlay's entries hold the mount's own, which nothing can be said about then: the kernel can't be asked to forget them, a
/// name that the overlay knows to be absent is not asked about again, and one whose entry in the mount was found to be out of date
/// gives ESTALE until the overlay lets go of it.
struct OverlaidNames {
    /// Where the overlay is.
    private let path: String
    /// The mount's /dev/fuse.
    private let device: FileDescriptor
    private var lastDrop: ContinuousClock.Instant?

    /// How soon after the last time it lets go again: ever again would cost more than the memory is worth that is won.
    private static let dropInterval: Duration = .milliseconds(100)

    init(overlaidAt path: String, device: FileDescriptor) {
        self.path = path
        self.device = device
    }

    /// Has the overlay let go of all names that nobody uses, and waits a moment if it just has. The mount's own then are the
    /// kernel's to forget.
    mutating func release() {
        if let lastDrop {
            let rest = Self.dropInterval - (ContinuousClock.now - lastDrop)
            if rest > .zero { usleep(UInt32(rest / .microseconds(1))) }
        }
        drop()
        lastDrop = .now
    }

    /// Has both let go, so that all is asked anew that nobody uses, absent names too.
    func forget() throws(Errno) {
        drop()
        let mount = try LowerMount.make(of: device)
        defer { try? mount.close() }
        try FileSystemContext(rootedAt: mount).reconfigure()
    }

    /// Nothing to be done where it fails: the overlay isn't there yet, or any more.
    private func drop() {
        do throws(Errno) { try FileSystemContext(mountedOn: path).reconfigure() } catch {}
    }
}
