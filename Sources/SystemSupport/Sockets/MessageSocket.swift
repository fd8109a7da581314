import CLinux
import Glibc
public import SystemPackage

/// One end of a connection between two processes of this machine that transfers bytes and open files.
public enum MessageSocket {
    /// The most bytes of a message.
    public static let byteCountMax = 8 << 10

    /// Creates two connected sockets, close-on-exec. Message boundaries are preserved (SOCK_SEQPACKET, unix(7)).
    public static func pair() throws(Errno) -> (FileDescriptor, FileDescriptor) {
        var sockets: [CInt] = [0, 0]
        let type = CInt(SOCK_SEQPACKET.rawValue) | CInt(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &sockets) == 0 else { throw Errno(rawValue: errno) }
        return (FileDescriptor(rawValue: sockets[0]), FileDescriptor(rawValue: sockets[1]))
    }

    /// Sends a message and an open file. The sender keeps its own descriptor.
    public static func send(
        _ bytes: [UInt8], _ descriptor: FileDescriptor? = nil, over socket: FileDescriptor
    ) throws(Errno) {
        guard tractfs_send(socket.rawValue, bytes, bytes.count, descriptor?.rawValue ?? -1) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    /// Waits for a message and its open file, which the caller must close.
    ///
    /// - Returns: `nil` if the other side has closed.
    public static func receive(
        over socket: FileDescriptor
    ) throws(Errno) -> (bytes: [UInt8], descriptor: FileDescriptor?)? {
        var descriptor: CInt = -1
        var result = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: byteCountMax) { buffer, count in
            result = tractfs_receive(socket.rawValue, buffer.baseAddress, buffer.count, &descriptor)
            count = max(result, 0)
        }
        guard result >= 0 else { throw Errno(rawValue: errno) }
        if result == 0 { return nil }
        return (bytes, descriptor < 0 ? nil : FileDescriptor(rawValue: descriptor))
    }
}
