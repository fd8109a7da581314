import FuseBridge
import Glibc

/// The program that this process is.
enum OwnProgram {
    private static let link = "/proc/self/exe"

    /// What to start for a process of the same program. By its own path where that still is it, so that the process has its
    /// name in `ps` and `pgrep`.
    static func path() -> String {
        guard let path = MountPoint.resolve(link), access(path, X_OK) == 0 else { return link }
        return path
    }

    /// Where a newer version of it would be installed: its own path, also where it was removed from there.
    static func installedPath() -> String? {
        path(of: getpid())
    }

    /// The path that the program of a process was started by, also where it was removed from there; `nil` for a process that
    /// isn't there, or is somebody else's.
    static func path(of process: Int32) -> String? {
        let path = withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink("/proc/\(process)/exe", start, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
        let removed = " (deleted)"
        return path.map { $0.hasSuffix(removed) ? String($0.dropLast(removed.count)) : $0 }
    }

    /// Whether a process is one of ours, by its program's name. That may be another one by now, where the program was moved
    /// away for a newer one: then by the name that the process was started by.
    static func isOf(_ process: Int32) -> Bool {
        guard let own = path(of: getpid())?.split(separator: "/").last else { return false }
        return path(of: process)?.split(separator: "/").last == own
            || ProcessState.text("/proc/\(process)/comm") == own.prefix(nameByteCountMax) + "\n"
    }

    /// How much of a program's name the kernel keeps (TASK_COMM_LEN, less a NUL).
    private static let nameByteCountMax = 15
}
