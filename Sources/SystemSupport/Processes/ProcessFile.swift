import CLinux
import Glibc
public import SystemPackage

/// Another process as an open file (pidfd_open(2)), which unlike its number never refers to a later process.
public enum ProcessFile {
    /// Opens a process, close-on-exec.
    public static func open(_ process: Int32) throws(Errno) -> FileDescriptor {
        let file = tractfs_open_process(process)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: file)
    }

    /// Waits until the process has ended.
    public static func waitForEnd(of process: FileDescriptor) {
        while !hasEnded(process, timeoutMilliseconds: -1) {}
    }

    /// Returns `true` if the process has ended, at once or within a time; a zombie has. -1 means no timeout.
    public static func hasEnded(_ process: FileDescriptor, timeoutMilliseconds: Int32 = 0) -> Bool {
        var polled = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, timeoutMilliseconds) == 1 && polled.revents & Int16(POLLIN) != 0
    }
}
