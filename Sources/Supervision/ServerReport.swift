package import Mounting
package import SystemPackage
import SystemSupport

/// A message from a server to its supervisor, over a socket that lasts as long as the server.
///
/// A trial sends `answers` or `failed` to a supervisor of another version, so their encoding must not change.
package enum ServerReport: Hashable {
    /// The report that the server has mounted. The message includes the mounted /dev/fuse.
    case mounted(MountIdentity)
    /// The report that the mount answers.
    case answers
    /// The report that the server continues where the previous one has ended.
    case tookOver
    /// The report that the server ends, because it can't serve.
    case failed(String)
    /// The server waits for the network before it mounts, for this reason; empty if the reason was reported before.
    case waiting(String)

    private enum Kind: UInt8 {
        case mounted = 1
        case answers, tookOver, failed, waiting
    }

    private var bytes: [UInt8] {
        switch self {
        case .mounted(let mount): [Kind.mounted.rawValue] + "\(mount.device) \(mount.path)".utf8
        case .answers: [Kind.answers.rawValue]
        case .tookOver: [Kind.tookOver.rawValue]
        case .failed(let reason): [Kind.failed.rawValue] + reason.utf8.prefix(MessageSocket.byteCountMax - 1)
        case .waiting(let reason): [Kind.waiting.rawValue] + reason.utf8.prefix(MessageSocket.byteCountMax - 1)
        }
    }

    private init?(_ bytes: [UInt8]) {
        let text = String(decoding: bytes.dropFirst(), as: UTF8.self)
        switch bytes.first.flatMap(Kind.init(rawValue:)) {
        case .mounted:
            let parts = text.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { return nil }
            self = .mounted(MountIdentity(path: String(parts[1]), device: String(parts[0])))
        case .answers: self = .answers
        case .tookOver: self = .tookOver
        case .failed: self = .failed(text)
        case .waiting: self = .waiting(text)
        case nil: return nil
        }
    }

    /// Sends the message, and `device` with it.
    ///
    /// - Returns: `false` if there is no supervisor.
    @discardableResult
    package func send(_ device: FileDescriptor? = nil, over socket: FileDescriptor) -> Bool {
        (try? MessageSocket.send(bytes, device, over: socket)) != nil
    }

    /// Waits for the next message and its descriptor; `nil` if the server has ended.
    static func receive(over socket: FileDescriptor) -> (ServerReport, FileDescriptor?)? {
        guard let message = try? MessageSocket.receive(over: socket), let report = ServerReport(message.bytes) else {
            return nil
        }
        return (report, message.descriptor)
    }
}
