import Logging
import SystemPackage
import SystemSupport

/// Writes log lines for programs to standard error, each at once, so that lines of two processes don't mix in one file.
struct StandardErrorHandler: LogHandler {
    let label: String
    let format: LogFormat
    /// Whether the journal reads them: it takes the level from a line's beginning ("<4>", sd-daemon(3)), and has the time.
    let isForJournal: Bool
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, format: LogFormat, isForJournal: Bool, logLevel: Logger.Level) {
        self.label = label
        self.format = format
        self.isForJournal = isForJournal
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        _ = try? FileDescriptor.standardError.writeAll("\(line(event))\n".utf8)
    }

    /// The line for an event, without its end.
    func line(_ event: LogEvent) -> String {
        let prefix = isForJournal ? "<\(event.level.priority)>" : ""
        switch format {
        // What stands behind a newline would be a line of its own, and of no level.
        case .text: return prefix + event.text(with: metadata).split(whereSeparator: \.isNewline).joined(separator: " ")
        case .json: return "\(prefix)\(event.json(label: label, with: metadata, at: .now))"
        }
    }
}
