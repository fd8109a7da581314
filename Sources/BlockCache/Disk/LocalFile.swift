import CLinux
import Glibc
import SystemPackage

/// An open file or directory on the local disk, closed with this instance. The disk cache makes its system calls here, and
/// here only; calls that a signal interrupted are made again.
///
/// Nothing is ever mapped into memory: somebody may cut a file off at any time, and a read would tell what a mapping
/// answers with SIGBUS.
final class LocalFile: Sendable {
    /// How many buffers one call may take (`IOV_MAX`).
    static let vectorCountLimit = 1024

    /// The descriptor; the caller doesn't close it.
    let descriptor: CInt

    /// Owns `descriptor` from now on.
    init(takingOwnershipOf descriptor: CInt) {
        self.descriptor = descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Opens `path`, from `directory` on if there is one. Never through a symbolic link as its last part; never kept by a
    /// program that is started.
    convenience init(_ path: String, in directory: LocalFile? = nil, _ flags: CInt) throws(Errno) {
        self.init(takingOwnershipOf: try LocalFile.openDescriptor(path, in: directory, flags))
    }

    /// What `init` does, for a descriptor that somebody else will own. A file that is made is its owner's alone.
    static func openDescriptor(_ path: String, in directory: LocalFile?, _ flags: CInt) throws(Errno) -> CInt {
        try checked {
            openat(directory?.descriptor ?? AT_FDCWD, path, flags | O_NOFOLLOW | O_CLOEXEC, mode_t(0o600))
        }
    }

    /// Makes the call until no signal interrupts it.
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
    /// - Returns: How many bytes were read.
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

    /// At most `byteCount` bytes from `offset` on; fewer where the file ends.
    func read(_ byteCount: Int, at offset: Int) throws(Errno) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        let (count, failure) = bytes.withUnsafeMutableBytes { buffer -> (Int, Errno?) in
            do throws(Errno) { return (try read(into: buffer, at: offset), nil) } catch { return (0, error) }
        }
        if let failure { throw failure }
        bytes.removeLast(byteCount - count)
        return bytes
    }

    /// Reads from `offset` on into one buffer after the other, as far as one call gets.
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

    /// Writes the buffers one after the other from `offset` on, all of them.
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

    /// Makes the file `byteCount` bytes long (ftruncate(2)).
    func truncate(to byteCount: Int) throws(Errno) {
        try LocalFile.checked { ftruncate(descriptor, off_t(byteCount)) }
    }

    /// Has the kernel begin to write the bytes of `range` to the disk, so that less is left for `writeOut`.
    func beginWritingOut(_ range: Range<Int>) throws(Errno) {
        try LocalFile.checked {
            tractfs_begin_writing_out(descriptor, off_t(range.lowerBound), off_t(range.count))
        }
    }

    /// Waits until the disk has taken all that was written. Throws for what failed since the file was opened, too: the kernel
    /// may have dropped those bytes, and then they read as zeros.
    func writeOut() throws(Errno) {
        try LocalFile.checked { tractfs_write_out(descriptor) }
    }

    /// Gives the bytes of `range` back to the file system; they read as zeros then.
    func punchHole(_ range: Range<Int>) throws(Errno) {
        try LocalFile.checked { tractfs_punch_hole(descriptor, off_t(range.lowerBound), off_t(range.count)) }
    }

    // MARK: What is known of it

    /// What fstat(2) tells.
    func status() throws(Errno) -> FileStatus {
        try LocalFile.status(of: descriptor)
    }

    /// What fstat(2) tells of a descriptor that somebody else owns.
    static func status(of descriptor: CInt) throws(Errno) -> FileStatus {
        var status = stat()
        try checked { fstat(descriptor, &status) }
        return FileStatus(status)
    }

    /// How much room there is for us on the file system, and how much it has in all (statvfs(3)).
    func room() throws(Errno) -> (freeByteCount: Int, byteCount: Int) {
        var status = statvfs()
        try LocalFile.checked { fstatvfs(descriptor, &status) }
        let unit = Int(status.f_frsize)
        return (Int(status.f_bavail) * unit, Int(status.f_blocks) * unit)
    }

    // MARK: Names in a directory

    /// What lstat(2) tells of `path`; `nil` if there is nothing.
    static func status(ofPath path: String) -> FileStatus? {
        var status = stat()
        return lstat(path, &status) == 0 ? FileStatus(status) : nil
    }

    /// What lstat(2) tells of `name` in this directory; `nil` if there is nothing.
    func status(of name: String) throws(Errno) -> FileStatus? {
        var status = stat()
        do throws(Errno) {
            try LocalFile.checked { fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) }
            return FileStatus(status)
        } catch .noSuchFileOrDirectory {
            return nil
        }
    }

    /// Makes a directory for its owner alone, if there is nothing of this name yet.
    func makeDirectory(_ name: String) throws(Errno) {
        do { try LocalFile.checked { mkdirat(descriptor, name, 0o700) } } catch .fileExists {}
    }

    /// Takes a name away, also an empty directory's; that it isn't there is no error.
    func unlink(_ name: String) throws(Errno) {
        do throws(Errno) {
            try LocalFile.checked { unlinkat(descriptor, name, 0) }
        } catch .isDirectory {
            try LocalFile.checked { unlinkat(descriptor, name, AT_REMOVEDIR) }
        } catch .noSuchFileOrDirectory {
            // As was wanted.
        }
    }

    /// Gives the file `name` the name `other`, in place of what had it.
    func rename(_ name: String, to other: String) throws(Errno) {
        try LocalFile.checked { renameat(descriptor, name, descriptor, other) }
    }

    /// The names in this directory, without "." and "..".
    func names() throws(Errno) -> [String] {
        // Another open file, because the place in the listing is this one's otherwise.
        let descriptor = try LocalFile.openDescriptor(".", in: self, O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(descriptor) else {
            let code = Errno(rawValue: errno)
            close(descriptor)
            throw code
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: Int(NAME_MAX) + 1) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }
}
