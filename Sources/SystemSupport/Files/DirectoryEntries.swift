public import Glibc
public import SystemPackage

/// The entries of a directory except "." and "..", in the order of the file system (readdir(3)).
public struct DirectoryEntries: ~Copyable {
    /// An entry of a directory.
    public struct Entry {
        /// The bytes of the name.
        public let name: [UInt8]
        /// The type (`d_type`): DT_DIR for a directory, DT_UNKNOWN on some file systems.
        public let type: UInt8

        /// The name as text; bytes that are not UTF-8 are replaced.
        public var text: String { String(decoding: name, as: UTF8.self) }
    }

    private let stream: OpaquePointer

    /// Opens the directory at `path`.
    public init(_ path: String) throws(Errno) {
        guard let stream = opendir(path) else { throw Errno(rawValue: errno) }
        self.stream = stream
    }

    /// Reads an open directory from its current offset on, which `directory` shares with this instance.
    public init(of directory: FileDescriptor) throws(Errno) {
        // closedir(3) closes the copy.
        let copy = fcntl(directory.rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = fdopendir(copy) else {
            let reason = Errno(rawValue: errno)
            close(copy)
            throw reason
        }
        self.stream = stream
    }

    deinit {
        closedir(stream)
    }

    /// Returns the next entry; `nil` after the last one.
    public mutating func next() throws(Errno) -> Entry? {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno(rawValue: errno) }
                return nil
            }
            let name = Self.name(of: entry)
            if name == [Self.dot] || name == [Self.dot, Self.dot] { continue }
            return Entry(name: name, type: entry.pointee.d_type)
        }
    }

    /// Returns the remaining names.
    public mutating func names() throws(Errno) -> [String] {
        var names: [String] = []
        while let entry = try next() { names.append(entry.text) }
        return names
    }

    /// Returns the names in the directory at `path`: those before the first error, if it can't be read to its end.
    public static func names(in path: String) -> [String] {
        guard var entries = try? DirectoryEntries(path) else { return [] }
        var names: [String] = []
        while let entry = try? entries.next() { names.append(entry.text) }
        return names
    }

    private static let dot = UInt8(ascii: ".")

    /// Returns a copy of the name, without any byte beyond it: the memory of an entry ends with its name, before the
    /// end of the 256 bytes of `d_name`.
    public static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
        guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
        let start = UnsafeRawPointer(entry) + offset
        return Array(UnsafeRawBufferPointer(start: start, count: strlen(start.assumingMemoryBound(to: CChar.self))))
    }
}
