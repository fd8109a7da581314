import CFuse
import FileSystem
import Glibc
import Namespace
import struct SystemPackage.Errno

@c @implementation
func tractfs_opendir(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request, let file else { return }
    let session = FuseSession.of(request)
    let fileSystem = session.fileSystem
    Reply(to: request).answer({ reply, opened in
        if !reply.send(opened, opening: file) { fileSystem.closeDirectory(opened.handle) }
    }) { () throws(Errno) in
        try session.checkAccess(.read, to: InodeID(rawValue: inode), by: request)
        return try fileSystem.openDirectory(InodeID(rawValue: inode), mayBeCopied: session.kernelCopiesDirectories)
    }
}

@c @implementation
func tractfs_readdir(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    readDirectory(request, size: size, cookie: offset, file: file, withAttributes: false)
}

@c @implementation
func tractfs_readdirplus(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    readDirectory(request, size: size, cookie: offset, file: file, withAttributes: true)
}

@c @implementation
func tractfs_releasedir(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request, let file else { return }
    FuseSession.of(request).fileSystem.closeDirectory(Handle(rawValue: file.pointee.fh))
    Reply(to: request).send(nil)
}

private func readDirectory(
    _ request: fuse_req_t?, size: Int, cookie: off_t, file: UnsafeMutablePointer<fuse_file_info>?, withAttributes: Bool
) {
    guard let request, let file else { return }
    let session = FuseSession.of(request)
    let fileSystem = session.fileSystem
    let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
    fileSystem.readDirectory(Handle(rawValue: file.pointee.fh), from: cookie) { result in
        guard let reply = parked.take() else { return }
        switch result {
        case .success(let chunk):
            var lookups: [InodeID] = []
            let isSent = reply.send(upTo: size) { request, bytes in
                var buffer = DirectoryBuffer(
                    bytes, request: request, withAttributes: withAttributes,
                    nameTimeoutLimit: session.nameTimeoutLimit)
                buffer.append(chunk)
                lookups = buffer.lookups
                return buffer.byteCount
            }
            if isSent { return }
            for id in lookups { fileSystem.forget(id, count: 1) }
        case .failure(let errno):
            reply.send(errno)
        }
    }
    parked.awaitInterrupt()
}

/// The buffer of a readdir reply.
private struct DirectoryBuffer {
    private let bytes: UnsafeMutableRawBufferPointer
    private let request: fuse_req_t
    private let withAttributes: Bool
    /// The longest time for which the kernel may cache a name, in seconds.
    private let nameTimeoutLimit: Double
    private(set) var byteCount = 0
    /// The inodes in the reply, for each of which the kernel counts a lookup.
    private(set) var lookups: [InodeID] = []

    init(
        _ bytes: UnsafeMutableRawBufferPointer, request: fuse_req_t, withAttributes: Bool, nameTimeoutLimit: Double
    ) {
        self.nameTimeoutLimit = nameTimeoutLimit
        self.bytes = bytes
        self.request = request
        self.withAttributes = withAttributes
    }

    /// Appends the entries of a chunk that fit.
    mutating func append(_ chunk: DirectoryChunk) {
        // All entries are from one listing, so they have the same timeout.
        let timeout = min(KernelTimeout.seconds(chunk.nameTimeout), nameTimeoutLimit)
        // libfuse needs NUL-terminated names.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Name.byteCountLimit + 1) { name in
            for index in 0..<chunk.count {
                guard append(chunk[index], of: chunk, name: name, timeout: timeout) else { return }
            }
        }
    }

    /// Appends an entry if it fits.
    ///
    /// - Parameter name: A buffer for the name.
    private mutating func append(
        _ entry: DirectoryChunk.Listed, of chunk: DirectoryChunk, name: UnsafeMutableBufferPointer<CChar>,
        timeout: Double
    ) -> Bool {
        let nameByteCount = entry.copyName(to: name)
        let room = bytes.count - byteCount
        // Checked first, since a lookup is counted only for an entry that is sent.
        let size = DirectoryEntrySize.byteCount(nameByteCount: nameByteCount, withAttributes: withAttributes)
        if size > room { return false }
        let start = bytes.baseAddress.map { ($0 + byteCount).assumingMemoryBound(to: CChar.self) }
        let written: Int
        if withAttributes {
            var parameter = parameter(entry, chunk.lookup(entry), timeout: timeout)
            written = fuse_add_direntry_plus(request, start, room, name.baseAddress, &parameter, off_t(entry.cookie))
        } else {
            var status = stat(entry)
            written = fuse_add_direntry(request, start, room, name.baseAddress, &status, off_t(entry.cookie))
        }
        precondition(written == size, "libfuse writes entries of another size")
        byteCount += size
        return true
    }

    /// Returns the parameters of an entry for readdirplus. "." and ".." have no inode, and so no lookup (fuse.h,
    /// `fuse_direntplus`).
    private mutating func parameter(
        _ entry: DirectoryChunk.Listed, _ looked: FileSystem.Entry?, timeout: Double
    ) -> fuse_entry_param {
        guard let looked else {
            var parameter = fuse_entry_param()
            parameter.attr = stat(entry)
            return parameter
        }
        lookups.append(looked.id)
        var parameter = fuse_entry_param(looked)
        parameter.entry_timeout = timeout
        return parameter
    }
}

/// The size of an entry in a reply (linux/fuse.h, `FUSE_DIRENT_SIZE` and `FUSE_DIRENTPLUS_SIZE`).
private enum DirectoryEntrySize {
    /// The size of the fields before the name, in `fuse_dirent`, and in the `fuse_entry_out` at the beginning of
    /// `fuse_direntplus`.
    private static let plainByteCount = 24
    private static let attributesByteCount = 128

    static func byteCount(nameByteCount: Int, withAttributes: Bool) -> Int {
        let unpadded = plainByteCount + (withAttributes ? attributesByteCount : 0) + nameByteCount
        return (unpadded + 7) & ~7
    }
}

extension DirectoryChunk.Listed {
    /// Writes the name and a NUL. Returns the length of the name.
    fileprivate func copyName(to buffer: UnsafeMutableBufferPointer<CChar>) -> Int {
        var byteCount = 0
        withName { name in
            name.withUnsafeBytes { UnsafeMutableRawBufferPointer(buffer).copyMemory(from: $0) }
            byteCount = name.count
        }
        buffer[byteCount] = 0
        return byteCount
    }
}

extension stat {
    /// Creates the part of `stat` that readdir uses: `d_ino` and `d_type`.
    fileprivate init(_ entry: DirectoryChunk.Listed) {
        self.init()
        st_ino = UInt(entry.inodeNumber)
        st_mode = entry.isDirectory ? S_IFDIR : S_IFREG
    }
}
