import Glibc
import SystemPackage

/// How a process that serves in the background tells the command that started it what has become of the mount: one line,
/// empty when the mount answers, and otherwise why there is none.
struct StartReport {
    /// The descriptor that the serving process finds the pipe under; the first that isn't taken.
    static let descriptorNumber: Int32 = 3
    /// The variable that tells the process that it serves in the background.
    static let variable = "TRACTFS_START_REPORT"

    private let pipe: FileDescriptor

    /// The report that this process owes; `nil` if it was started by a person.
    static func inherited() -> StartReport? {
        guard getenv(variable) != nil else { return nil }
        unsetenv(variable)
        _ = fcntl(descriptorNumber, F_SETFD, FD_CLOEXEC)
        closeInherited()
        return StartReport(pipe: FileDescriptor(rawValue: descriptorNumber))
    }

    /// Closes what the command was started with beyond the standard streams: somebody may wait for the other end of it to
    /// close, and a mount lives long.
    private static func closeInherited() {
        guard let directory = opendir("/proc/self/fd") else { return }
        defer { closedir(directory) }
        var inherited: [CInt] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let number = CInt(name), number > descriptorNumber, number != dirfd(directory) {
                inherited.append(number)
            }
        }
        for descriptor in inherited { close(descriptor) }
    }

    /// Says that the mount answers.
    ///
    /// - Returns: Whether the command has heard it. If not, somebody ended it, and wants no mount.
    func succeed() -> Bool {
        defer { try? pipe.close() }
        return (try? pipe.writeAll("\n".utf8)) != nil
    }

    /// Says why there is no mount.
    func fail(_ message: String) {
        _ = try? pipe.writeAll("\(Failure(message))\n".utf8)
        try? pipe.close()
    }
}
