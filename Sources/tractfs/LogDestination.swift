import Glibc
import Logging

/// Where log lines go.
enum LogDestination {
    case standardError(Logger.Level)
    case file(String, Logger.Level)
    case syslog(Logger.Level)

    /// Sends all log lines there, from now on. To be called once.
    func begin() throws(Failure) -> Logger {
        switch self {
        case .standardError(let level), .file(_, let level):
            LoggingSystem.bootstrap { label in
                var handler = StreamLogHandler.standardError(label: label)
                handler.logLevel = level
                return handler
            }
        case .syslog(let level):
            openlog(SyslogHandler.identity, LOG_PID, LOG_DAEMON)
            LoggingSystem.bootstrap { _ in SyslogHandler(logLevel: level) }
        }
        return Logger(label: "tractfs")
    }

    /// A file that can't be written is refused while there is somebody to tell.
    func check() throws(Failure) {
        guard case .file(let path, _) = self else { return }
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
        switch self {
        case .standardError: return
        case .file(let path, _): descriptor = LogDestination.openFile(path)
        case .syslog: descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC)
        }
        guard descriptor >= 0 else { return }
        dup2(descriptor, STDERR_FILENO)
        close(descriptor)
    }

    /// What SIGHUP is for: opening the log file again, after it was rotated. `nil` where there is none; the signal then
    /// means that the terminal is gone.
    func reopening(orElse complain: @escaping @Sendable (Failure) -> Void) -> (@Sendable () -> Void)? {
        guard case .file = self else { return nil }
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
