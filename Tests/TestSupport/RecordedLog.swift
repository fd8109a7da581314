public import Logging
import Synchronization

/// A log in memory, for tests of messages.
public struct RecordedLog: LogHandler {
    private final class Lines: Sendable {
        let lines = Mutex<[(level: Logger.Level, text: String)]>([])
    }

    private let lines = Lines()
    /// The metadata of every line.
    public var metadata: Logger.Metadata = [:]
    /// Everything is kept.
    public var logLevel: Logger.Level = .trace

    /// An empty log.
    public init() {}

    /// A logger that writes here.
    public var logger: Logger { Logger(label: "test") { _ in self } }

    /// One of them.
    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Keeps a line.
    public func log(event: LogEvent) {
        lines.lines.withLock { $0.append((event.level, "\(event.message)")) }
    }

    /// All of it.
    public var messages: [String] {
        lines.lines.withLock { lines in lines.map(\.text) }
    }

    /// The warnings.
    public var warnings: [String] {
        lines.lines.withLock { lines in lines.filter { $0.level >= .warning }.map(\.text) }
    }
}
