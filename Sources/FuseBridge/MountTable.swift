import Glibc
import SystemSupport
public import SystemPackage

/// What is mounted where, as the kernel tells this process (proc(5), /proc/PID/mountinfo).
public struct MountTable: Sendable {
    /// One mount.
    public struct Entry: Hashable, Sendable {
        /// Where, as an absolute path without links.
        public let mountPoint: String
        /// The file system's type, "fuse.tractfs" for ours.
        public let type: String
        /// What is mounted, "s3://…" for ours.
        public let source: String
        /// The device number, "MAJOR:MINOR".
        public let device: String

        /// Whether the mount is one of ours.
        public var isTractfs: Bool { type == MountTable.type }
    }

    /// The type that our mounts have in the kernel's table.
    public static let type = "fuse.tractfs"

    /// The mounts, in the order in which they were made.
    public let entries: [Entry]

    /// Reads the table of this process.
    public init() throws(Errno) {
        self.init(parsing: try MountTable.readFile("/proc/self/mountinfo"))
    }

    init(parsing text: String) {
        entries = text.split(separator: "\n").compactMap { line in
            // 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw
            let halves = line.split(separator: " - ", maxSplits: 1)
            guard halves.count == 2 else { return nil }
            let mount = halves[0].split(separator: " ")
            let fileSystem = halves[1].split(separator: " ")
            guard mount.count >= 5, fileSystem.count >= 2 else { return nil }
            return Entry(
                mountPoint: MountTable.unescaped(mount[4]), type: String(fileSystem[0]),
                source: MountTable.unescaped(fileSystem[1]), device: String(mount[2]))
        }
    }

    /// The mount that is seen at `path`, an absolute path without links: the last one made there.
    public func mount(at path: String) -> Entry? {
        entries.last { $0.mountPoint == path }
    }

    /// The mount that `path`, an absolute path without links, lies in: of those that have it below them the one that is
    /// nearest, and of several in one place the last.
    public func mount(containing path: FilePath) -> Entry? {
        entries.last { entry in
            path.starts(with: FilePath(entry.mountPoint))
                && !entries.contains { other in
                    other.mountPoint.utf8.count > entry.mountPoint.utf8.count
                        && path.starts(with: FilePath(other.mountPoint))
                }
        }
    }

    /// Space, tab, newline and backslash stand in the table as a backslash and three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest.removeFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func readFile(_ path: FilePath) throws(Errno) -> String {
        do {
            let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
            defer { try? file.close() }
            // Far above what a machine has, and an end.
            return String(decoding: try file.readToEnd(limit: 1 << 24), as: UTF8.self)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
