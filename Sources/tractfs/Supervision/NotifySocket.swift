import Glibc
import SystemPackage
import SystemSupport

/// How a service tells the service manager that has started it how it is (sd_notify(3)): by datagrams to a socket.
struct NotifySocket: Sendable {
    /// Names the socket: a path, or behind an "@" a name in the abstract namespace (unix(7)).
    static let variable = "NOTIFY_SOCKET"
    /// How long a service manager that doesn't read may hold things up.
    private static let patience = timeval(tv_sec: 5, tv_usec: 0)

    private let name: [UInt8]

    /// The socket that the environment names; `nil` where there is none.
    init?(environment: [String: String]) {
        guard let name = environment[Self.variable], name.hasPrefix("/") || name.hasPrefix("@"),
            name.utf8.count <= LocalSocket.nameByteCountMax
        else { return nil }
        self.name = name.hasPrefix("@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
    }

    /// Tells the assignments of a state, such as "READY=1". That nobody hears it is nobody's loss.
    func tell(_ state: [String]) {
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var patience = Self.patience
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        // A newline would begin another assignment.
        let message = state.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }.joined(separator: "\n")
        LocalSocket.withAddress(name) { address, length in
            _ = sendto(descriptor, message, message.utf8.count, CInt(MSG_NOSIGNAL), address, length)
        }
    }
}

/// What the service manager is told of a mount.
struct ServiceState: Sendable {
    /// `nil` where nobody asked for it.
    private let socket: NotifySocket?
    private let uri: String

    /// - Parameter isService: Whether this process is one that a service manager may wait for: one in the foreground.
    init(uri: String, isService: Bool) {
        socket = isService ? NotifySocket(environment: Environment.variables()) : nil
        self.uri = uri
    }

    /// The mount waits for the network, as long as it was told to: the service manager's own limit is shorter.
    func noteWaiting() {
        socket?.tell(["EXTEND_TIMEOUT_USEC=60000000"])
    }

    /// The mount answers. The main process is the supervisor, which this is.
    func noteReady(_ place: MountPlace, server: Int32?) {
        socket?.tell(["READY=1", "MAINPID=\(getpid())", status(place, server: server)])
    }

    /// Another process serves it.
    func noteTakeover(_ place: MountPlace, server: Int32) {
        socket?.tell([status(place, server: server)])
    }

    /// The mount ends.
    func noteEnd(_ reason: String) {
        socket?.tell(["STOPPING=1", "STATUS=\(uri): \(reason)"])
    }

    private func status(_ place: MountPlace, server: Int32?) -> String {
        "STATUS=\(uri) on \(place.path)" + (server.map { ", served by process \($0)" } ?? "")
    }
}
