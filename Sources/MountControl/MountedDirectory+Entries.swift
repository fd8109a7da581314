import Glibc
public import struct SystemPackage.Errno

extension MountedDirectory {
    /// An entry of a folder.
    public struct Entry {
        /// The bytes of the name.
        public let name: [UInt8]
        /// `true` for a folder, `false` for a file.
        public let isDirectory: Bool
    }

    /// The entries of a folder without "." and "..", in the order of their keys: the key of a folder ends in "/".
    public struct Entries: ~Copyable {
        private let stream: OpaquePointer

        init(of directory: CInt) throws(Errno) {
            // closedir(3) closes the copy.
            let copy = fcntl(directory, F_DUPFD_CLOEXEC, 0)
            guard copy >= 0, let stream = fdopendir(copy) else { throw Errno(rawValue: errno) }
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
                if name == Array(".".utf8) || name == Array("..".utf8) { continue }
                return Entry(name: name, isDirectory: entry.pointee.d_type == UInt8(DT_DIR))
            }
        }

        /// Reads only the name of `d_name`: an entry has the length of its name, not of its type.
        private static func name(of entry: UnsafeMutablePointer<dirent>) -> [UInt8] {
            guard let offset = MemoryLayout<dirent>.offset(of: \.d_name) else { return [] }
            let text = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
            return Array(UnsafeRawBufferPointer(start: text, count: strlen(text)))
        }
    }
}
