import Glibc
import Logging

/// Sends log lines to syslog(3), and so to the journal where there is one.
struct SyslogHandler: LogHandler {
    /// The program's name in the log. A C string that lasts, because openlog(3) keeps the pointer.
    nonisolated(unsafe) static let identity = strdup("tractfs")

    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(logLevel: Logger.Level) {
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let fields = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let text = fields.sorted { $0.key < $1.key }.reduce("\(event.message)") { "\($0) \($1.key)=\($1.value)" }
        text.withCString { text in withVaList([text]) { vsyslog(SyslogHandler.priority(event.level), "%s", $0) } }
    }

    private static func priority(_ level: Logger.Level) -> CInt {
        switch level {
        case .trace, .debug: LOG_DEBUG
        case .info: LOG_INFO
        case .notice: LOG_NOTICE
        case .warning: LOG_WARNING
        case .error: LOG_ERR
        case .critical: LOG_CRIT
        }
    }
}
