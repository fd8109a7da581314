import Glibc
package import SystemPackage

/// The report of a supervisor in the background to the command that started it, over a pipe: one line, empty if the
/// mount answers, else the reason that there is none. Notices may precede it.
package struct StartReport {
    private let pipe: FileDescriptor

    /// Creates a report over a pipe that the command reads.
    package init(_ pipe: FileDescriptor) {
        self.pipe = pipe
    }

    /// Reports that the mount answers.
    ///
    /// - Returns: `false` if the command was ended, which means that the user wants no mount.
    func succeed() -> Bool {
        defer { try? pipe.close() }
        return write("")
    }

    /// The first character of a notice.
    static let noticeMark = "\u{2}"

    /// Reports the reason for a wait. The command continues to wait.
    ///
    /// - Returns: `false` if the command was ended, which means that the user wants no mount.
    func notice(_ text: String) -> Bool {
        write(Self.noticeMark + text)
    }

    /// `true` if the command is still running.
    var isHeard: Bool {
        var polled = pollfd(fd: pipe.rawValue, events: 0, revents: 0)
        return poll(&polled, 1, 0) == 0
    }

    /// Reports the reason that there is no mount.
    package func fail(_ message: String) {
        _ = write(message)
        try? pipe.close()
    }

    /// Writes one line. Line breaks in `text` become spaces.
    private func write(_ text: String) -> Bool {
        let line = text.split(whereSeparator: \.isNewline).joined(separator: " ") + "\n"
        return (try? pipe.writeAll(line.utf8)) != nil
    }
}
