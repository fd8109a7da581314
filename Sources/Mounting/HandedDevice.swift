import Glibc
public import SystemPackage

/// A /dev/fuse that another program has opened and mounted, and passes to this one as an open file. As with libfuse,
/// the user names it "/dev/fd/N" in place of a mount point.
public struct HandedDevice: Sendable {
    /// The number of the descriptor.
    public let number: Int32

    /// Parses a mount point; `nil` for the path of a folder.
    public init?(mountPoint: String) {
        let prefix = "/dev/fd/"
        guard mountPoint.hasPrefix(prefix) else { return nil }
        let digits = mountPoint.dropFirst(prefix.count)
        guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int32(digits) else { return nil }
        self.number = number
    }

    private var path: String { "/dev/fd/\(number)" }

    /// The number of the device (Documentation/admin-guide/devices.txt of Linux): major 10, minor 229.
    private static let fuseDeviceNumber: dev_t = 10 << 8 | 229
    /// The timeout for FUSE_INIT, which is readable once mount(2) has returned.
    private static let initTimeoutMilliseconds: Int32 = 1_000

    /// Checks that the device is mounted and that no program has begun to serve it.
    ///
    /// - Returns: A duplicate above the standard streams, which child processes do not inherit by themselves.
    public func take() throws(MountError) -> FileDescriptor {
        var status = stat()
        guard fstat(number, &status) == 0 else {
            throw MountError(
                "\(path) is not open: the program that starts tractfs must hand on its open /dev/fuse as file \(number)"
            )
        }
        guard status.st_mode & S_IFMT == S_IFCHR, status.st_rdev == Self.fuseDeviceNumber else {
            throw MountError("\(path) is not /dev/fuse: hand on the file that was mounted, or name an empty folder")
        }
        try checkIsMounted()
        // libfuse waits for requests in read(2).
        _ = fcntl(number, F_SETFL, fcntl(number, F_GETFL) & ~O_NONBLOCK)
        let copy = fcntl(number, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)
        guard copy >= 0 else { throw MountError("copy \(path)", Errno(rawValue: errno)) }
        return FileDescriptor(rawValue: copy)
    }

    private func checkIsMounted() throws(MountError) {
        // One byte is too short for a reply: the kernel refuses it with EPERM before anything is mounted, and with
        // EINVAL afterwards. A read, however short, would take a request on kernels before Linux 5.3.
        var byte: UInt8 = 0
        if write(number, &byte, 1) < 0, errno == EPERM {
            throw MountError("\(path) is not mounted yet: mount it first, then start tractfs")
        }
        var readiness = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        let count = poll(&readiness, 1, Self.initTimeoutMilliseconds)
        if count > 0, readiness.revents & Int16(POLLERR | POLLHUP) != 0 {
            throw MountError("the mount of \(path) has ended: mount again, and hand on the new file")
        }
        guard count > 0 else {
            throw MountError(
                "another program has begun to serve the mount of \(path): mount again, and start only tractfs")
        }
    }
}
