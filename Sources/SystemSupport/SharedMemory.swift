import CLinux
import Glibc
public import SystemPackage

/// Memory that several processes have, and that lasts as long as one of them has it open.
public final class SharedMemory: Sendable {
    /// The file that it is, for who is to have it too.
    public let descriptor: FileDescriptor
    /// How many bytes there are.
    public let byteCount: Int
    private let address: UInt

    /// New memory, all zeros. `name` is seen in /proc.
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

    /// Memory that another process has made, whose file is closed by this instance.
    ///
    /// - Throws: Where it has fewer bytes, or can't be had.
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

    /// Where it begins, for as long as the instance lives.
    public var start: UnsafeMutableRawPointer {
        // mmap(2) never gives a null pointer.
        UnsafeMutableRawPointer(bitPattern: address).unsafelyUnwrapped
    }
}
