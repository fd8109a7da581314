import Glibc
import SystemPackage
import SystemSupport

/// What a server tells its supervisor, over a socket that lasts as long as the server.
enum ServerReport: Hashable {
    /// It has mounted; the mounted /dev/fuse comes with it.
    case mounted(MountPlace)
    /// The mount answers.
    case answers
    /// It goes on where the server before it has ended.
    case tookOver
    /// It can't serve, and ends.
    case failed(String)
    /// It waits for the network before it mounts, for this reason; empty where that was told before.
    case waiting(String)

    private enum Kind: UInt8 {
        case mounted = 1
        case answers, tookOver, failed, waiting
    }

    private var bytes: [UInt8] {
        switch self {
        case .mounted(let place): [Kind.mounted.rawValue] + place.text.utf8
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
            guard let place = MountPlace(text) else { return nil }
            self = .mounted(place)
        case .answers: self = .answers
        case .tookOver: self = .tookOver
        case .failed: self = .failed(text)
        case .waiting: self = .waiting(text)
        case nil: return nil
        }
    }

    /// Tells it.
    ///
    /// - Returns: Whether there is a supervisor to hear it.
    @discardableResult
    func send(_ device: FileDescriptor? = nil, over socket: FileDescriptor) -> Bool {
        (try? MessageSocket.send(bytes, device, over: socket)) != nil
    }

    /// Waits for a server's next report, and what came with it; `nil` when it has ended.
    static func receive(over socket: FileDescriptor) -> (ServerReport, FileDescriptor?)? {
        guard let message = try? MessageSocket.receive(over: socket), let report = ServerReport(message.bytes) else {
            return nil
        }
        return (report, message.descriptor)
    }
}
