import Glibc
import Logging
import ObjectStore
import SystemSupport

/// How log lines are written.
enum LogFormat: String, CaseIterable, WrittenValue, CustomStringConvertible {
    case text
    /// A JSON object a line.
    case json

    static var form: String { allCases.map(\.rawValue).joined(separator: " or ") }

    init?(argument: String) {
        self.init(rawValue: argument)
    }

    var description: String { rawValue }
}

extension LogEvent {
    /// "MESSAGE name=value name=value", for where the time, the level and the program are written anyway.
    ///
    /// - Parameter metadata: What the logger has for every event.
    func text(with metadata: Logger.Metadata) -> String {
        fields(with: metadata).reduce("\(message)") { "\($0) \($1.key)=\($1.value)" }
    }

    /// All of it for programs. The time is UTC.
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
    /// The level as syslog(3) and the journal count it.
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
