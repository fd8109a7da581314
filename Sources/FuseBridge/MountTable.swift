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
        /// Where an overlay keeps what is written to it; `nil` for other file systems.
        public let overlayUpper: String?

        /// Whether the mount is one of ours, and seen as it is.
        public var isTractfs: Bool { type == MountTable.type }
        /// Whether it is the overlay that lies on one of ours.
        public var isOverlaid: Bool { overlayUpper != nil && source.hasPrefix("s3://") }
        /// `true` if another program has mounted it, and any may serve it, ours too (`HandedDevice`).
        public var isForeignFuse: Bool { (type == "fuse" || type.hasPrefix("fuse.")) && !isTractfs }
        /// Whether it is one of ours, with an overlay or without.
        public var isOurs: Bool { isTractfs || isOverlaid }
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
                source: MountTable.unescaped(fileSystem[1]), device: String(mount[2]),
                overlayUpper: MountTable.overlayUpper(fileSystem))
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

    /// The `upperdir` among an overlay's options. In their values commas are escaped like spaces; and what is escaped for overlayfs,
    /// by a backslash before it, stands as it was given.
    private static func overlayUpper(_ fileSystem: [Substring]) -> String? {
        guard fileSystem[0] == "overlay", fileSystem.count > 2 else { return nil }
        let name = "upperdir="
        guard let option = fileSystem[2].split(separator: ",").first(where: { $0.hasPrefix(name) }) else { return nil }
        var scalars = String.UnicodeScalarView()
        var rest = unescaped(option.dropFirst(name.count)).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            scalars.append(scalar == "\\" ? rest.popFirst() ?? scalar : scalar)
        }
        return String(scalars)
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
