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
        try fileSystem.openDirectory(InodeID(rawValue: inode), mayBeCopied: session.kernelCopiesDirectories)
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
                var buffer = DirectoryBuffer(bytes, request: request, withAttributes: withAttributes)
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

/// The buffer of one readdir reply, being filled.
private struct DirectoryBuffer {
    private let bytes: UnsafeMutableRawBufferPointer
    private let request: fuse_req_t
    private let withAttributes: Bool
    private(set) var byteCount = 0
    /// The inodes that the kernel is told of, and counts a lookup of.
    private(set) var lookups: [InodeID] = []

    init(_ bytes: UnsafeMutableRawBufferPointer, request: fuse_req_t, withAttributes: Bool) {
        self.bytes = bytes
        self.request = request
        self.withAttributes = withAttributes
    }

    /// As many entries of the chunk as there is room for.
    mutating func append(_ chunk: DirectoryChunk) {
        // One timeout for all: they came in one listing.
        let timeout = KernelTimeout.seconds(chunk.nameTimeout)
        for index in 0..<chunk.count {
            guard append(chunk[index], lookup: { chunk.lookup(index) }, timeout: timeout) else { return }
        }
    }

    /// One entry, if there is room for it.
    private mutating func append(
        _ entry: DirectoryChunk.Listed, lookup: () -> FileSystem.Entry?, timeout: Double
    ) -> Bool {
        // libfuse wants the name with a NUL behind it.
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: entry.name.count + 1) { name in
            for (index, byte) in entry.name.enumerated() { name[index] = CChar(bitPattern: byte) }
            name[entry.name.count] = 0
            let room = bytes.count - byteCount
            // Asked with no buffer, libfuse tells the size: a lookup is only counted for an entry that is sent.
            let size =
                withAttributes
                ? fuse_add_direntry_plus(request, nil, 0, name.baseAddress, nil, 0)
                : fuse_add_direntry(request, nil, 0, name.baseAddress, nil, 0)
            if size > room { return false }
            let start = bytes.baseAddress.map { ($0 + byteCount).assumingMemoryBound(to: CChar.self) }
            if withAttributes {
                var parameter = parameter(entry, lookup(), timeout: timeout)
                _ = fuse_add_direntry_plus(request, start, room, name.baseAddress, &parameter, off_t(entry.cookie))
            } else {
                var status = stat(entry)
                _ = fuse_add_direntry(request, start, room, name.baseAddress, &status, off_t(entry.cookie))
            }
            byteCount += size
            return true
        }
    }

    /// What readdirplus says of an entry; "." and ".." are told without an inode, and so without a lookup (fuse.h,
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

extension stat {
    /// What readdir uses of it: `d_ino` and `d_type`.
    fileprivate init(_ entry: DirectoryChunk.Listed) {
        self.init()
        st_ino = UInt(entry.inodeNumber)
        st_mode = entry.isDirectory ? S_IFDIR : S_IFREG
    }
}
