import Glibc
import Mounting
import SystemSupport

/// The program of this process.
package enum OwnProgram {
    private static let link = "/proc/self/exe"

    /// Returns the path for starting another process of the same program. Prefers the program's own path if that still
    /// refers to it, so that the process has the right name in `ps` and `pgrep`.
    package static func path() -> String {
        guard let path = MountPoint.resolve(link), access(path, X_OK) == 0 else { return link }
        return path
    }

    /// Returns the path of an installed newer version: the program's own path, even if it was removed from there.
    package static func installedPath() -> String? {
        path(of: getpid())
    }

    /// Returns the path from which a process was started, even if the program was removed from there; `nil` if there is
    /// no such process, or it belongs to another user.
    private static func path(of process: Int32) -> String? {
        let removed = " (deleted)"
        return SystemFile.target(ofLink: "/proc/\(process)/exe").map {
            $0.hasSuffix(removed) ? String($0.dropLast(removed.count)) : $0
        }
    }

    /// Returns `true` if a process runs tractfs, judged by the name of its program. An upgrade may have renamed that
    /// program; then the name under which the process was started counts.
    package static func isRun(by process: Int32) -> Bool {
        guard let own = path(of: getpid())?.split(separator: "/").last else { return false }
        return path(of: process)?.split(separator: "/").last == own
            || SystemFile.text("/proc/\(process)/comm") == own.prefix(nameByteCountMax) + "\n"
    }

    /// The longest process name that the kernel stores (TASK_COMM_LEN, less a NUL).
    private static let nameByteCountMax = 15

    /// Releases the terminal and the folder from which the command was started: the working directory becomes "/", and
    /// standard input and output become /dev/null.
    package static func detachFromTerminal() {
        chdir("/")
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            dup2(null, descriptor)
            close(null)
        }
    }
}
