import Logging
import Synchronization

/// The recorded log, for tests of messages.
final class LogLines: Sendable {
    private let lines = Mutex<[Logger.Level]>([])

    /// The levels of the lines so far.
    var levels: [Logger.Level] { lines.withLock { $0 } }

    /// A logger that writes to this record.
    var logger: Logger {
        var logger = Logger(label: "test") { _ in Handler(lines: self) }
        logger.logLevel = .trace
        return logger
    }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            lines.lines.withLock { $0.append(event.level) }
        }
    }
}
