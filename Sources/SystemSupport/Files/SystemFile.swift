import Glibc
public import SystemPackage

/// Small files of the system, in /proc, /sys and /etc.
public enum SystemFile {
    /// Returns the content of a small file; `nil` if it can't be read.
    public static func text(_ path: String, limit: Int = 4_096) -> String? {
        guard let file = try? FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec),
            let bytes = try? file.closeAfter({ try file.readToEnd(limit: limit) })
        else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Returns the target of a symbolic link, such as /proc/PID/exe; `nil` if it can't be read.
    public static func target(ofLink path: String) -> String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer -> String? in
            guard let start = buffer.baseAddress else { return nil }
            let count = readlink(path, start, buffer.count)
            return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }

    /// Returns the absolute path of an open file, without symbolic links, as the kernel knows it. Unlike realpath(3),
    /// this sends no request to a mounted file system.
    public static func path(of file: FileDescriptor) -> String? {
        target(ofLink: "/proc/self/fd/\(file.rawValue)")
    }
}
