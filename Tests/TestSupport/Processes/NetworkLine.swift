internal import CLinux
import Foundation
import Synchronization

/// Two network namespaces, one for a server and one for its clients, and a line between them. A line that is cut drops
/// everything silently, as a network does that fails. No other traffic on the machine is affected.
public final class NetworkLine {
    /// The address of the server.
    public static let serverAddress = "10.77.0.2"

    private static let clientAddress = "10.77.0.1"
    private static let serverHardware = "02:00:00:00:00:02"
    private static let clientHardware = "02:00:00:00:00:01"
    /// A hardware address that no device has.
    private static let wrongHardware = "02:00:00:00:00:99"

    private let client: BackgroundProcess
    private let server: BackgroundProcess

    /// A Boolean value that is `true` if this machine allows such a line.
    public static let isAvailable =
        (try? run("unshare", ["--net", "ip", "link", "add", "near", "type", "veth"]).status) == 0
    /// The reason for which a test that needs one is skipped.
    public static let missing = "needs the right to make network namespaces, and iproute2"

    fileprivate init(directory: String) throws {
        client = try NetworkLine.namespace(directory + "/client")
        server = try NetworkLine.namespace(directory + "/server")
        do {
            try inClient([
                "link", "add", "near", "address", Self.clientHardware, "type", "veth", "peer", "name", "far", "address",
                Self.serverHardware, "netns", String(server.processID),
            ])
            for (side, device, address) in [(client, "near", Self.clientAddress), (server, "far", Self.serverAddress)] {
                try NetworkLine.ip(["address", "add", address + "/30", "dev", device], of: side)
                try NetworkLine.ip(["link", "set", device, "up"], of: side)
            }
            try restore()
        } catch {
            end()
            throw error
        }
    }

    /// Starts a process that only holds a namespace.
    private static func namespace(_ directory: String) throws -> BackgroundProcess {
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let process = try BackgroundProcess(
            "unshare", ["--net", "sleep", "86400"], outputDirectory: directory)
        let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/ns/net")
        try eventually("a network namespace") {
            try FileManager.default.destinationOfSymbolicLink(atPath: path(of: process)) != own
        }
        return process
    }

    private static func path(of side: BackgroundProcess) -> String { "/proc/\(side.processID)/ns/net" }

    private static func ip(_ arguments: [String], of side: BackgroundProcess) throws {
        try runChecked("nsenter", ["--net=" + path(of: side), "ip"] + arguments)
    }

    private func inClient(_ arguments: [String]) throws { try NetworkLine.ip(arguments, of: client) }

    fileprivate func end() {
        client.end()
        server.end()
    }

    /// The first words of a client's command.
    public var clientLauncher: [String] { ["nsenter", "--net=" + NetworkLine.path(of: client)] }

    /// Drops all packets in both directions from now on.
    public func cut() throws { try send(toServer: Self.wrongHardware, toClient: Self.wrongHardware) }

    /// Delivers packets again.
    public func restore() throws { try send(toServer: Self.serverHardware, toClient: Self.clientHardware) }

    private func send(toServer: String, toClient: String) throws {
        for (side, device, address, hardware) in [
            (client, "near", Self.serverAddress, toServer), (server, "far", Self.clientAddress, toClient),
        ] {
            let arguments = ["neighbour", "replace", address, "lladdr", hardware, "nud", "permanent", "dev", device]
            try NetworkLine.ip(arguments, of: side)
        }
    }

    /// The namespace in which a server can listen.
    var serverSide: ServerSide { ServerSide(path: NetworkLine.path(of: server)) }
}

/// The server's namespace.
struct ServerSide: Sendable {
    fileprivate let path: String

    /// A socket that listens on a free port. The caller closes it.
    func listeningSocket() throws -> CInt {
        let descriptor = Atomic<CInt>(-1)
        // A namespace is a thread's own, and this one ends with its thread.
        try inParallel(1) { _ in descriptor.store(try ServerSide.socket(inNamespace: path), ordering: .releasing) }
        return descriptor.load(ordering: .acquiring)
    }

    private static func socket(inNamespace path: String) throws -> CInt {
        let namespace = open(path, O_RDONLY | O_CLOEXEC)
        defer { close(namespace) }
        guard tractfs_enter_network(namespace) == 0 else {
            throw CommandFailure(description: "setns \(path): \(String(cString: strerror(errno)))")
        }
        let descriptor = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        let isBound = withSocketAddress(NetworkLine.serverAddress, port: 0) { bind(descriptor, $0, $1) == 0 }
        guard isBound, listen(descriptor, 1_024) == 0 else {
            throw CommandFailure(description: "bind \(NetworkLine.serverAddress): \(String(cString: strerror(errno)))")
        }
        return descriptor
    }
}

/// Creates a line, and removes it after `body`.
public func withNetworkLine<Result>(_ body: (NetworkLine) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        let line = try NetworkLine(directory: directory)
        defer { line.end() }
        return try body(line)
    }
}
