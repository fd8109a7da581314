import Glibc
import Logging
import SystemSupport

/// Where log lines go, which of them, and how they are written.
struct LogDestination: Sendable {
    enum Place: Hashable, Sendable {
        case standardError
        /// A file, by its path.
        case file(String)
        case syslog
    }

    let place: Place
    /// From which level on.
    let level: Logger.Level
    let format: LogFormat

    /// Sends all log lines there, from now on. To be called once.
    func begin() -> Logger {
        if place == .syslog { openlog(SyslogHandler.identity, LOG_PID, LOG_DAEMON) }
        LoggingSystem.bootstrap { [self] label in handler(label) }
        return Logger(label: "tractfs")
    }

    private func handler(_ label: String) -> any LogHandler {
        if place == .syslog { return SyslogHandler(label: label, format: format, logLevel: level) }
        if format == .json || isForJournal {
            return StandardErrorHandler(
                label: label, format: format, isForJournal: isForJournal, logLevel: level)
        }
        var handler = StreamLogHandler.standardError(label: label)
        handler.logLevel = level
        return handler
    }

    /// Whether standard error is the log, and one that programs read: then a failure is a line of it too.
    var hasFailures: Bool { place == .standardError && (format == .json || isForJournal) }

    private var isForJournal: Bool { place == .standardError && Self.isJournal(STDERR_FILENO) }

    /// Whether a descriptor is connected with the journal, which tells services so by its device and inode
    /// (systemd.exec(5), JOURNAL_STREAM).
    private static func isJournal(_ descriptor: CInt) -> Bool {
        var status = stat()
        guard let stream = getenv("JOURNAL_STREAM"), fstat(descriptor, &status) == 0 else { return false }
        return String(cString: stream) == "\(status.st_dev):\(status.st_ino)"
    }

    /// A file that can't be written is refused while there is somebody to tell.
    func check() throws(Failure) {
        guard case .file(let path) = place else { return }
        let descriptor = LogDestination.openFile(path)
        guard descriptor >= 0 else {
            throw Failure(
                "can't write the log file \(path): \(String(cString: strerror(errno))); give a file, in a folder that exists"
            )
        }
        close(descriptor)
    }

    /// Makes standard error what log lines go to: the log file, or nothing where they go elsewhere and no terminal is to
    /// be held on to. Called again, it opens the file again, after it was rotated.
    func takeOverStandardError() {
        let descriptor: CInt
        switch place {
        case .standardError: return
        case .file(let path): descriptor = LogDestination.openFile(path)
        case .syslog: descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { return }
        dup2(descriptor, STDERR_FILENO)
        close(descriptor)
    }

    /// What SIGHUP is for: opening the log file again, after it was rotated. With syslog nothing, since the mount is in the
    /// background, and whoever rotates logs may tell all its processes. `nil` where the signal means that the terminal is
    /// gone.
    func reopening(orElse complain: @escaping @Sendable (Failure) -> Void) -> (@Sendable () -> Void)? {
        switch place {
        case .standardError: return nil
        case .syslog: return {}
        case .file: break
        }
        return { [self] in
            do throws(Failure) {
                try check()
                takeOverStandardError()
            } catch {
                complain(error)
            }
        }
    }

    private static func openFile(_ path: String) -> CInt {
        open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    }
}
