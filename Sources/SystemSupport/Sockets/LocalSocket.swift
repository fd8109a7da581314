import CLinux
public import Glibc
public import SystemPackage

/// A named socket for other processes of this machine (unix(7)).
public enum LocalSocket {
    /// The longest name, in bytes.
    public static let nameByteCountMax = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    /// Calls `body` with the address for this name: a path, or, after a NUL, a name in the abstract namespace.
    public static func withAddress<Result>(
        _ name: [UInt8], _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        // The length is significant for abstract names, in which every byte counts.
        let length = MemoryLayout.size(ofValue: address.sun_family) + name.count
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(length)) }
        }
    }

    /// Creates the socket `name` in a folder, and listens for messages (SOCK_SEQPACKET). Replaces an existing socket.
    ///
    /// - Parameter permissions: The permissions to connect.
    public static func listen(
        _ name: String, in folder: FileDescriptor, permissions: UInt32
    ) throws(Errno) -> FileDescriptor {
        let socket = try make()
        unlinkat(folder.rawValue, name, 0)
        guard withAddress(path(name, in: folder), { bind(socket.rawValue, $0, $1) }) == 0,
            fchmodat(folder.rawValue, name, permissions, 0) == 0, Glibc.listen(socket.rawValue, backlog) == 0
        else {
            let failure = Errno(rawValue: errno)
            try? socket.close()
            throw failure
        }
        return socket
    }

    /// Connects to the socket `name` in a folder.
    ///
    /// - Parameter timeout: The timeout of each later send or receive.
    public static func connect(
        to name: String, in folder: FileDescriptor, timeout: Duration
    ) throws(Errno) -> FileDescriptor {
        let socket = try make()
        var limit = timeval(tv_sec: Int(timeout.components.seconds), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket.rawValue, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard withAddress(path(name, in: folder), { Glibc.connect(socket.rawValue, $0, $1) }) == 0 else {
            let failure = Errno(rawValue: errno)
            try? socket.close()
            throw failure
        }
        return socket
    }

    /// Waits for a connection; the caller must close it.
    public static func accept(_ socket: FileDescriptor) throws(Errno) -> FileDescriptor {
        let connection = Glibc.accept(socket.rawValue, nil, nil)
        guard connection >= 0 else { throw Errno(rawValue: errno) }
        _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
        return FileDescriptor(rawValue: connection)
    }

    /// Returns the user at the other end: for an accepted connection the connecting user, for an outgoing one the
    /// listening user.
    public static func peerUser(of socket: FileDescriptor) throws(Errno) -> UInt32 {
        var user: uid_t = 0
        guard tractfs_peer_user(socket.rawValue, &user) == 0 else { throw Errno(rawValue: errno) }
        return user
    }

    /// The most connections that may wait to be accepted.
    private static let backlog: CInt = 64

    private static func make() throws(Errno) -> FileDescriptor {
        let descriptor = socket(AF_UNIX, CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: descriptor)
    }

    /// Returns a path of bounded length, however long the folder's own path is.
    private static func path(_ name: String, in folder: FileDescriptor) -> [UInt8] {
        Array("/proc/self/fd/\(folder.rawValue)/\(name)".utf8.prefix(nameByteCountMax))
    }
}
