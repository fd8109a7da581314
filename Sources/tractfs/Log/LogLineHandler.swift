import Glibc
import Logging
import SystemPackage
import SystemSupport

/// Writes log events as lines.
struct LogLineHandler: LogHandler {
    /// The receiver of the lines.
    enum Output {
        /// syslog(3), and so the journal where there is one.
        case syslog
        /// Standard error, with one write(2) per line, so that lines of two processes don't mix in one file.
        case standardError
        /// Standard error, which the journal reads. It adds the time itself, and takes the level from the beginning of
        /// a line ("<4>", sd-daemon(3)).
        case journal
    }

    let label: String
    let output: Output
    let format: LogFormat
    var logLevel: Logger.Level
    var metadata: Logger.Metadata = [:]

    init(label: String, output: Output, format: LogFormat, logLevel: Logger.Level) {
        self.label = label
        self.output = output
        self.format = format
        self.logLevel = logLevel
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = line(event)
        switch output {
        case .syslog: line.withCString { text in withVaList([text]) { vsyslog(event.level.priority, "%s", $0) } }
        case .standardError, .journal: _ = try? FileDescriptor.standardError.writeAll("\(line)\n".utf8)
        }
    }

    /// Returns the line for an event, without its end.
    func line(_ event: LogEvent) -> String {
        let prefix = if case .journal = output { "<\(event.level.priority)>" } else { "" }
        switch format {
        // Text behind a newline would become a line of its own, without a level.
        case .text: return prefix + event.text(with: metadata).split(whereSeparator: \.isNewline).joined(separator: " ")
        case .json: return "\(prefix)\(event.json(label: label, with: metadata, at: .now))"
        }
    }
}
