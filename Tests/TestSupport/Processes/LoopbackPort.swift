import Glibc

/// A port of the loopback interface that no other socket is given while this value lives; connections to it are
/// refused until a listener with SO_REUSEPORT binds it.
public final class ReservedPort: Sendable {
    private let socket: LoopbackSocket
    /// The number of the port.
    public let number: UInt16

    /// Reserves a port that the kernel picks.
    public init() throws {
        socket = try LoopbackSocket(reusesPort: true)
        guard socket.bind(port: 0), let port = socket.boundPort else {
            throw CommandFailure(description: "no free port: errno \(errno)")
        }
        number = port
    }
}

/// Returns a port of the loopback interface that no socket has at this time, for a program that binds it itself.
///
/// The port lies below those that the kernel hands out (ip(7), ip_local_port_range), so that no connection or listener
/// of other tests is given it in between.
public func freePort() throws -> UInt16 {
    for _ in 0..<1_000 {
        let port = UInt16.random(in: 10_000..<32_768)
        if try LoopbackSocket().bind(port: port) { return port }
    }
    throw CommandFailure(description: "no free port: errno \(errno)")
}

/// Returns `true` if a connection to `port` of the loopback interface is accepted.
public func isListening(onPort port: UInt16) throws -> Bool { try LoopbackSocket().connect(port: port) }

/// A TCP socket (tcp(7)).
private final class LoopbackSocket: Sendable {
    private let descriptor: CInt

    init(reusesPort: Bool = false) throws {
        descriptor = Glibc.socket(AF_INET, CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw CommandFailure(description: "socket: errno \(errno)") }
        guard reusesPort else { return }
        var value: CInt = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &value, socklen_t(MemoryLayout<CInt>.size))
    }

    deinit { close(descriptor) }

    func bind(port: UInt16) -> Bool { withAddress(port: port) { Glibc.bind(descriptor, $0, $1) == 0 } }

    func connect(port: UInt16) -> Bool { withAddress(port: port) { Glibc.connect(descriptor, $0, $1) == 0 } }

    /// The port that the socket is bound to.
    var boundPort: UInt16? {
        var address = sockaddr_in()
        var byteCount = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &byteCount) }
        }
        return result == 0 ? UInt16(bigEndian: address.sin_port) : nil
    }

    private func withAddress<Result>(port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withSocketAddress("127.0.0.1", port: port, body)
    }
}

/// Calls `body` with an address of IPv4 (ip(7)).
func withSocketAddress<Result>(
    _ host: String, port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = inet_addr(host)
    return withUnsafePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
    }
}
