import Glibc
import Logging
import SystemSupport

/// The destination of log lines, their lowest level and their format.
struct LogDestination: Sendable {
    enum Output: Hashable, Sendable {
        case standardError
        /// A file, by its path.
        case file(String)
        case syslog
    }

    let output: Output
    /// The lowest level that is logged.
    let level: Logger.Level
    let format: LogFormat

    /// The program's name in syslog. A C string that lasts, because openlog(3) keeps the pointer.
    nonisolated(unsafe) private static let identity = strdup("tractfs")

    /// Sets the destination of all log lines, and returns a logger. Call it once.
    func begin() -> Logger {
        if output == .syslog { openlog(Self.identity, LOG_PID, LOG_DAEMON) }
        LoggingSystem.bootstrap { [self] label in handler(label) }
        return Logger(label: "tractfs")
    }

    private func handler(_ label: String) -> any LogHandler {
        if output != .syslog, format == .text, !isForJournal {
            var handler = StreamLogHandler.standardError(label: label)
            handler.logLevel = level
            return handler
        }
        let lines: LogLineHandler.Output = output == .syslog ? .syslog : isForJournal ? .journal : .standardError
        return LogLineHandler(label: label, output: lines, format: format, logLevel: level)
    }

    /// `true` if programs read the log from standard error. Then the failure of a command is a log line too.
    var hasFailures: Bool { output == .standardError && (format == .json || isForJournal) }

    private var isForJournal: Bool { output == .standardError && Self.isJournal(STDERR_FILENO) }

    /// Returns `true` if a descriptor is connected to the journal, which passes its device and inode to services
    /// (systemd.exec(5), JOURNAL_STREAM).
    private static func isJournal(_ descriptor: CInt) -> Bool {
        var status = stat()
        guard let stream = getenv("JOURNAL_STREAM"), fstat(descriptor, &status) == 0 else { return false }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    /// Checks that the log file can be written, while the command can still report a failure.
    func check() throws(Failure) {
        guard case .file(let path) = output else { return }
        let descriptor = LogDestination.openFile(path)
        guard descriptor >= 0 else {
            throw Failure(
                "can't write the log file \(path): \(String(cString: strerror(errno))); give a file, in a folder that exists"
            )
        }
        close(descriptor)
    }

    /// Redirects standard error to the log file, or to /dev/null if the log is elsewhere, which also releases the
    /// terminal. Reopens the file if called again, after a rotation.
    func redirectStandardError() {
        let descriptor: CInt
        switch output {
        case .standardError: return
        case .file(let path): descriptor = LogDestination.openFile(path)
        case .syslog: descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { return }
        dup2(descriptor, STDERR_FILENO)
        close(descriptor)
    }

    /// Returns the action for SIGHUP: reopening the log file after a rotation; nothing with syslog, since log rotation
    /// may signal all processes of a mount in the background. `nil` if the signal means that the terminal is gone.
    func reopening(orElse complain: @escaping @Sendable (Failure) -> Void) -> (@Sendable () -> Void)? {
        switch output {
        case .standardError: return nil
        case .syslog: return {}
        case .file: break
        }
        return { [self] in
            do throws(Failure) {
                try check()
                redirectStandardError()
            } catch {
                complain(error)
            }
        }
    }

    private static func openFile(_ path: String) -> CInt {
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    }
}
