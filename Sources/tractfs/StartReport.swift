import Glibc
import SystemPackage
import SystemSupport

/// How a process that serves in the background tells the command that started it what has become of the mount: one line,
/// empty when the mount answers, and otherwise why there is none. Before it there may be notices.
struct StartReport {
    private let pipe: FileDescriptor

    /// A report by a pipe that the command reads.
    init(_ pipe: FileDescriptor) {
        self.pipe = pipe
    }

    /// Says that the mount answers.
    ///
    /// - Returns: Whether the command has heard it. If not, somebody ended it, and wants no mount.
    func succeed() -> Bool {
        defer { try? pipe.close() }
        return (try? pipe.writeAll("\n".utf8)) != nil
    }

    /// Begins a line that says what the mount waits for, while the command waits on.
    static let noticeMark: Character = "\u{2}"

    /// Says what the mount waits for.
    ///
    /// - Returns: `false` if the command has ended, and wants no mount.
    func tell(_ notice: String) -> Bool {
        (try? pipe.writeAll("\(Self.noticeMark)\(Failure(notice))\n".utf8)) != nil
    }

    /// `true` if the command is still there.
    var isHeard: Bool {
        var polled = pollfd(fd: pipe.rawValue, events: 0, revents: 0)
        return poll(&polled, 1, 0) == 0
    }

    /// Says why there is no mount.
    func fail(_ message: String) {
        _ = try? pipe.writeAll("\(Failure(message))\n".utf8)
        try? pipe.close()
    }
}
