import Foundation
import SystemPackage
import TestSupport

/// The side of a service manager of sd_notify(3): a socket that a service tells its state.
final class NotifyListener {
    private let descriptor: Int32
    /// The value of NOTIFY_SOCKET.
    let address: String
    /// The assignments told so far.
    private(set) var told: [String] = []

    /// Opens a socket with this address.
    ///
    /// - Parameter address: A path, or "@" and a name in the abstract namespace.
    init(_ address: String) throws {
        self.address = address
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var socketAddress = sockaddr_un()
        socketAddress.sun_family = sa_family_t(AF_UNIX)
        let name = address.hasPrefix("@") ? [0] + address.utf8.dropFirst() : Array(address.utf8)
        withUnsafeMutableBytes(of: &socketAddress.sun_path) { $0.copyBytes(from: name) }
        let result = withUnsafePointer(to: &socketAddress) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sa_family_t>.size + name.count))
            }
        }
        guard result == 0 else { throw Errno(rawValue: errno) }
    }

    deinit { close(descriptor) }

    /// Waits for an assignment that begins with `prefix`, and returns the rest of it.
    func value(of prefix: String) throws -> String {
        var value: String?
        try eventually("\(prefix) of \(told)") {
            receive()
            value = told.last { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
            return value != nil
        }
        return value ?? ""
    }

    /// Reads all messages that have arrived.
    func receive() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while case let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
            told += String(decoding: buffer[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
        }
    }
}
