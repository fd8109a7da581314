import Glibc
import Logging
import SystemSupport

/// Sends log lines to syslog(3), and so to the journal where there is one.
struct SyslogHandler: LogHandler {
    /// The program's name in the log. A C string that lasts, because openlog(3) keeps the pointer.
    nonisolated(unsafe) static let identity = strdup("tractfs")

    let label: String
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, format: LogFormat, logLevel: Logger.Level) {
        self.label = label
        self.format = format
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let text =
            switch format {
            case .text: event.text(with: metadata)
            case .json: event.json(label: label, with: metadata, at: .now).description
            }
        text.withCString { text in withVaList([text]) { vsyslog(event.level.priority, "%s", $0) } }
    }
}
