import Glibc
public import SystemPackage

extension FileDescriptor {
    /// Creates a pipe whose ends are close-on-exec.
    public static func closeOnExecPipe() throws(Errno) -> (readEnd: FileDescriptor, writeEnd: FileDescriptor) {
        do {
            let pipe = try FileDescriptor.pipe()
            for end in [pipe.readEnd, pipe.writeEnd] { _ = fcntl(end.rawValue, F_SETFD, FD_CLOEXEC) }
            return pipe
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Reads until the other side closes, or up to `limit` bytes.
    public func readToEnd(limit: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            while bytes.count < limit {
                let count = try read(into: buffer)
                if count == 0 { break }
                bytes.append(contentsOf: buffer[..<count])
            }
        }
        return bytes
    }
}
