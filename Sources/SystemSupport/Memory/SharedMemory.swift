import CLinux
import Glibc
public import SystemPackage

/// Memory shared by several processes. It lasts as long as one of them has it open.
public final class SharedMemory: Sendable {
    /// The file behind the memory, for passing it to another process.
    public let descriptor: FileDescriptor
    /// The number of bytes.
    public let byteCount: Int
    private let address: UInt

    /// Creates memory filled with zeros. `name` is visible in /proc.
    public convenience init(named name: String, byteCount: Int) throws(Errno) {
        let file = tractfs_open_memory(name)
        guard file >= 0 else { throw Errno(rawValue: errno) }
        guard ftruncate(file, byteCount) == 0 else {
            let reason = Errno(rawValue: errno)
            close(file)
            throw reason
        }
        try self.init(FileDescriptor(rawValue: file), byteCount: byteCount)
    }

    /// Maps memory that another process has created, and closes its file with this instance.
    ///
    /// - Throws: If it has fewer bytes, or can't be mapped.
    public init(_ descriptor: FileDescriptor, byteCount: Int) throws(Errno) {
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw Errno(rawValue: errno) }
        guard status.st_size >= byteCount else { throw .invalidArgument }
        guard let start = mmap(nil, byteCount, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor.rawValue, 0),
            start != MAP_FAILED
        else { throw Errno(rawValue: errno) }
        self.descriptor = descriptor
        self.byteCount = byteCount
        address = UInt(bitPattern: start)
    }

    deinit {
        munmap(start, byteCount)
        try? descriptor.close()
    }

    /// The start of the memory, valid as long as the instance lives.
    public var start: UnsafeMutableRawPointer {
        // mmap(2) never returns a null pointer.
        UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    }
}
