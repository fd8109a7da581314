import CommandOutput
import Glibc
import Logging
import ObjectStore
import Settings
import SystemSupport

/// The format of log lines.
enum LogFormat: String, CaseIterable, OptionValue, CustomStringConvertible {
    case text
    /// One JSON object per line.
    case json

    static var form: String { allCases.map(\.rawValue).joined(separator: " or ") }

    init?(argument: String) {
        self.init(rawValue: argument)
    }

    var description: String { rawValue }
}

extension LogEvent {
    /// Returns "MESSAGE name=value name=value". The receiver adds the time, the level and the program.
    ///
    /// - Parameter metadata: The metadata of the logger.
    func text(with metadata: Logger.Metadata) -> String {
        fields(with: metadata).reduce("\(message)") { "\($0) \($1.key)=\($1.value)" }
    }

    /// Returns all properties of the event. The time is in UTC.
    func json(label: String, with metadata: Logger.Metadata, at time: Timestamp) -> JSONObject {
        [
            "time": .string(time.utcMillisecondText), "level": .string(level.rawValue), "label": .string(label),
            "source": .string(source), "pid": .number(Int(getpid())), "message": .string("\(message)"),
            "metadata": .object(
                JSONObject(fields(with: metadata).map { (name: $0.key, value: .string("\($0.value)")) })),
        ]
    }

    private func fields(with metadata: Logger.Metadata) -> [(key: String, value: Logger.MetadataValue)] {
        metadata.merging(self.metadata ?? [:]) { _, new in new }.sorted { $0.key < $1.key }
    }
}

extension Logger.Level {
    /// The priority of syslog(3) and the journal.
    var priority: CInt {
        switch self {
        case .trace, .debug: LOG_DEBUG
        case .info: LOG_INFO
        case .notice: LOG_NOTICE
        case .warning: LOG_WARNING
        case .error: LOG_ERR
        case .critical: LOG_CRIT
        }
    }
}
