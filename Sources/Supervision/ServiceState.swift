import Glibc
import Mounting
import SystemPackage
import SystemSupport

/// The socket over which a service reports its state to the service manager (sd_notify(3)), in datagrams.
struct NotifySocket: Sendable {
    /// The variable with the socket's path, or with "@" and a name in the abstract namespace (unix(7)).
    private static let variable = "NOTIFY_SOCKET"
    /// The timeout for a service manager that doesn't read.
    private static let sendTimeout = timeval(tv_sec: 5, tv_usec: 0)

    private let name: [UInt8]

    /// The socket named in the environment; `nil` if there is none.
    init?(environment: [String: String]) {
        guard let name = environment[Self.variable], name.hasPrefix("/") || name.hasPrefix("@"),
            name.utf8.count <= LocalSocket.nameByteCountMax
        else { return nil }
        self.name = name.hasPrefix("@") ? [0] + name.utf8.dropFirst() : Array(name.utf8)
    }

    /// Sends assignments such as "READY=1". Ignores errors.
    func send(_ assignments: [String]) {
        let type = CInt(SOCK_DGRAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var timeout = Self.sendTimeout
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &timeout, socklen_t(MemoryLayout<timeval>.size))
        // A newline inside a value would begin another assignment.
        let message = assignments.map { $0.split(whereSeparator: \.isNewline).joined(separator: " ") }
            .joined(separator: "\n")
        LocalSocket.withAddress(name) { address, length in
            _ = sendto(descriptor, message, message.utf8.count, CInt(MSG_NOSIGNAL), address, length)
        }
    }
}

/// The state of a mount as reported to the service manager.
package struct ServiceState: Sendable {
    /// `nil` if no service manager has started the process.
    private let socket: NotifySocket?
    private let uri: String

    /// Creates the state of the mount of `uri`.
    ///
    /// - Parameter isService: `true` if a service manager may wait for this process, which runs in the foreground.
    package init(uri: String, isService: Bool, environment: [String: String]) {
        socket = isService ? NotifySocket(environment: environment) : nil
        self.uri = uri
    }

    /// Reports that the mount waits for the network, up to `--retry`. Extends the service manager's own shorter
    /// timeout.
    func noteWaiting() {
        socket?.send(["EXTEND_TIMEOUT_USEC=60000000"])
    }

    /// Reports that the mount answers, and that this process, the supervisor, is the main one.
    func noteReady(_ mount: MountIdentity, server: Int32?) {
        socket?.send(["READY=1", "MAINPID=\(getpid())", status(mount, server: server)])
    }

    /// Reports another server.
    func noteTakeover(_ mount: MountIdentity, server: Int32) {
        socket?.send([status(mount, server: server)])
    }

    /// Reports the end of the mount.
    func noteEnd(_ reason: String) {
        socket?.send(["STOPPING=1", "STATUS=\(uri): \(reason)"])
    }

    private func status(_ mount: MountIdentity, server: Int32?) -> String {
        "STATUS=\(uri) on \(mount.path)" + (server.map { ", served by process \($0)" } ?? "")
    }
}
