import Glibc
import SystemPackage

/// The memory use of this process.
public enum ProcessMemory {
    /// Returns the resident bytes, including those shared with other processes (proc_pid_statm(5)).
    public static func residentByteCount() throws -> Int {
        let file = try FileDescriptor.open("/proc/self/statm", .readOnly, options: .closeOnExec)
        let text = try file.closeAfter { String(decoding: try file.readToEnd(limit: 4096), as: UTF8.self) }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pageCount = Int(fields[1]) else { throw Errno.invalidArgument }
        return pageCount * Int(getpagesize())
    }
}
