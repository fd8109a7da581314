public import SystemPackage
import SystemSupport

/// The mounts that this process sees (proc(5), /proc/PID/mountinfo).
public struct MountTable: Sendable {
    /// One mount.
    public struct Entry: Hashable, Sendable {
        /// The mount point, as an absolute path without symbolic links.
        public let mountPoint: String
        /// The file system's type: "fuse.tractfs" for ours.
        public let type: String
        /// The source: "s3://…" for ours.
        public let source: String
        /// The device number, "MAJOR:MINOR".
        public let device: String
        /// The upper folder of an overlay; `nil` for other file systems.
        public let overlayUpper: String?

        /// `true` for a mount of ours, without an overlay.
        public var isTractfs: Bool { type == MountTable.type }
        /// `true` for an overlay on one of our mounts.
        public var isOverlaid: Bool { overlayUpper != nil && source.hasPrefix("s3://") }
        /// `true` for a FUSE mount of another program, which tractfs may serve all the same (`HandedDevice`).
        public var isForeignFuse: Bool { (type == "fuse" || type.hasPrefix("fuse.")) && !isTractfs }
        /// `true` for a mount of ours, with or without an overlay.
        public var isOurs: Bool { isTractfs || isOverlaid }
    }

    /// The type of our mounts in the kernel's table.
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

    /// Returns the visible mount on `path`, an absolute path without symbolic links: the last one made there.
    public func mount(at path: String) -> Entry? {
        entries.last { $0.mountPoint == path }
    }

    /// Returns the mount that contains `path`, an absolute path without symbolic links: the one with the longest mount
    /// point, and the last of several on the same mount point.
    public func mount(containing path: FilePath) -> Entry? {
        entries.last { entry in
            path.starts(with: FilePath(entry.mountPoint))
                && !entries.contains { other in
                    other.mountPoint.utf8.count > entry.mountPoint.utf8.count
                        && path.starts(with: FilePath(other.mountPoint))
                }
        }
    }

    /// Decodes a field: space, tab, newline and backslash are written as a backslash and three octal digits.
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

    /// Returns the `upperdir` among an overlay's options. Commas in option values are escaped like spaces; the
    /// backslashes that escape characters for overlayfs are shown as they were passed.
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
            // A bound far above the size of any real table.
            return String(decoding: try file.readToEnd(limit: 1 << 24), as: UTF8.self)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
