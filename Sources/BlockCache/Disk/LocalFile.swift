import CLinux
import Glibc
import SystemPackage
import SystemSupport

/// An open file or directory on the local disk, closed with this instance. All system calls of the disk cache are made
/// here; interrupted calls are retried.
///
/// Files are never mapped into memory: another process may truncate a file at any time. A read reports that; a mapping
/// answers with SIGBUS.
final class LocalFile: Sendable {
    /// The most buffers that one call accepts (`IOV_MAX`).
    static let vectorCountLimit = 1024

    /// The descriptor. Callers must not close it.
    let descriptor: CInt

    /// Takes ownership of `descriptor`.
    init(takingOwnershipOf descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Opens `path`, relative to `directory` if given. Never follows a symbolic link in the last component; never
    /// inherited by child processes.
    convenience init(_ path: String, in directory: LocalFile? = nil, _ flags: CInt) throws(Errno) {
        self.init(takingOwnershipOf: try LocalFile.openDescriptor(path, in: directory, flags))
    }

    /// Opens a descriptor like `init`, for another owner. Created files are accessible to their owner only.
    static func openDescriptor(_ path: String, in directory: LocalFile?, _ flags: CInt) throws(Errno) -> CInt {
        try checked {
            openat(directory?.descriptor ?? AT_FDCWD, path, flags | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        }
    }

    /// Repeats the call while signals interrupt it.
    @discardableResult
    static func checked<N: SignedInteger>(_ call: () -> N) throws(Errno) -> N {
        while true {
            let result = call()
            guard result < 0 else { return result }
            let code = Errno(rawValue: errno)
            guard code == .interrupted else { throw code }
        }
    }

    // MARK: Bytes

    /// Reads from `offset` on until `buffer` is full or the file ends.
    ///
    /// - Returns: The number of bytes read.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(Errno) -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let step = try LocalFile.checked { pread(descriptor, rest.baseAddress, rest.count, off_t(offset + count)) }
            guard step > 0 else { break }
            count += step
        }
        return count
    }

    /// Returns at most `byteCount` bytes from `offset` on; fewer at the end of the file.
    func read(_ byteCount: Int, at offset: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let (count, failure) = bytes.withUnsafeMutableBytes { buffer -> (Int, Errno?) in
            do throws(Errno) { return (try read(into: buffer, at: offset), nil) } catch { return (0, error) }
        }
        if let failure { throw failure }
        bytes.removeLast(byteCount - count)
        return bytes
    }

    /// Reads from `offset` on into the buffers in order, with a single call, which may read less.
    func read(into buffers: [UnsafeMutableRawBufferPointer], at offset: Int) throws(Errno) -> Int {
        let vectors = buffers.map { iovec(iov_base: $0.baseAddress, iov_len: $0.count) }
        return try LocalFile.checked { preadv(descriptor, vectors, CInt(vectors.count), off_t(offset)) }
    }

    /// Writes all of `buffer` from `offset` on.
    func write(_ buffer: UnsafeRawBufferPointer, at offset: Int) throws(Errno) {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeRawBufferPointer(rebasing: buffer[count...])
            count += try LocalFile.checked { pwrite(descriptor, rest.baseAddress, rest.count, off_t(offset + count)) }
        }
    }

    /// Writes the memory of all of `values` from `offset` on.
    func write(_ values: [some BitwiseCopyable], at offset: Int) throws(Errno) {
        var failure: Errno?
        values.withUnsafeBytes { buffer in
            do throws(Errno) { try write(buffer, at: offset) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Writes all buffers in order, from `offset` on.
    func write(_ buffers: [UnsafeRawBufferPointer], at offset: Int) throws(Errno) {
        var vectors = buffers.map {
            iovec(iov_base: UnsafeMutableRawPointer(mutating: $0.baseAddress), iov_len: $0.count)
        }
        var offset = offset
        while !vectors.isEmpty {
            let batch = Array(vectors.prefix(LocalFile.vectorCountLimit))
            var count = try LocalFile.checked { pwritev(descriptor, batch, CInt(batch.count), off_t(offset)) }
            offset += count
            while let first = vectors.first, count >= first.iov_len {
                count -= first.iov_len
                vectors.removeFirst()
            }
            if count > 0, let base = vectors.first?.iov_base {
                vectors[0].iov_base = base + count
                vectors[0].iov_len -= count
            }
        }
    }

    /// Sets the length of the file to `byteCount` (ftruncate(2)).
    func truncate(to byteCount: Int) throws(Errno) {
        try LocalFile.checked { ftruncate(descriptor, off_t(byteCount)) }
    }

    /// Starts writing the bytes of `range` to the disk, so that less is left for `writeOut`.
    func beginWritingOut(_ range: Range<Int>) throws(Errno) {
        try LocalFile.checked {
            tractfs_begin_writing_out(descriptor, off_t(range.lowerBound), off_t(range.count))
        }
    }

    /// Waits until the disk has accepted all writes. Also throws for failures since the file was opened: the kernel may
    /// have dropped those bytes, which then read as zeros.
    func writeOut() throws(Errno) {
        try LocalFile.checked { tractfs_write_out(descriptor) }
    }

    /// Returns the space of `range` to the file system; the bytes then read as zeros.
    func punchHole(_ range: Range<Int>) throws(Errno) {
        try LocalFile.checked { tractfs_punch_hole(descriptor, off_t(range.lowerBound), off_t(range.count)) }
    }

    // MARK: Status

    /// Returns the file's status (fstat(2)).
    func status() throws(Errno) -> FileStatus {
        try LocalFile.status(of: descriptor)
    }

    /// Returns the status of a descriptor that is owned elsewhere (fstat(2)).
    static func status(of descriptor: CInt) throws(Errno) -> FileStatus {
        var status = stat()
        try checked { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// Returns the space available to us on the file system, and its size (statvfs(3)).
    func room() throws(Errno) -> (freeByteCount: Int, byteCount: Int) {
        var status = statvfs()
        try LocalFile.checked { fstatvfs(descriptor, &status) }
        let unit = Int(status.f_frsize)
        return (Int(status.f_bavail) * unit, Int(status.f_blocks) * unit)
    }

    // MARK: Names in a directory

    /// Returns the status of `path` (lstat(2)); `nil` if it doesn't exist.
    static func status(ofPath path: String) -> FileStatus? {
        var status = stat()
        return lstat(path, &status) == 0 ? FileStatus(status) : nil
    }

    /// Returns the status of `name` in this directory (lstat(2)); `nil` if it doesn't exist.
    func status(of name: String) throws(Errno) -> FileStatus? {
        var status = stat()
        do throws(Errno) {
            try LocalFile.checked { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
            return FileStatus(status)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Creates a directory for its owner only, unless the name exists.
    func makeDirectory(_ name: String) throws(Errno) {
        do { try LocalFile.checked { mkdirat(descriptor, name, 0o700) } } catch .fileExists {}
    }

    /// Removes a name, including that of an empty directory. A missing name is no error.
    func unlink(_ name: String) throws(Errno) {
        do throws(Errno) {
            try LocalFile.checked { unlinkat(descriptor, name, 0) }
        } catch .isDirectory {
            try LocalFile.checked { unlinkat(descriptor, name, AT_REMOVEDIR) }
        } catch .noSuchFileOrDirectory {
            // Already removed.
        }
    }

    /// Renames the file `name` to `other`, replacing an existing file.
    func rename(_ name: String, to other: String) throws(Errno) {
        try LocalFile.checked { renameat(descriptor, name, descriptor, other) }
    }

    /// Returns the names in this directory, without "." and "..".
    func names() throws(Errno) -> [String] {
        // A separate open file, because reading names moves the directory offset of the open file.
        let descriptor = try LocalFile.openDescriptor(".", in: self, O_RDONLY | O_DIRECTORY)
        defer { close(descriptor) }
        var entries = try DirectoryEntries(of: FileDescriptor(rawValue: descriptor))
        return try entries.names()
    }
}
