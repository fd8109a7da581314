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
        var polled = pollfd(fd: process.rawValue, events: Int16(POLLIN), revents: 0)
        while poll(&polled, 1, -1) < 0, errno == EINTR || errno == EAGAIN {}
    }

    /// Returns the time from the boot of the machine to the start of a process, in ticks of the clock (proc(5),
    /// /proc/PID/stat); `nil` if there is no such process.
    public static func startTime(of process: Int32) -> UInt64? {
        SystemFile.text("/proc/\(process)/stat").flatMap(startTime(stat:))
    }

    /// Parses the content of a `stat` file.
    static func startTime(stat: String) -> UInt64? {
        // The name in parentheses may contain any character. The state, which is field 3, follows it; the start is
        // field 22.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        return stat[end...].split(separator: " ").dropFirst(20).first.flatMap { UInt64($0) }
    }
}
