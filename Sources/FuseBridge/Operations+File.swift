import CFuse
import FileSystem
import Glibc
import Namespace
import Reader
import struct SystemPackage.Errno

@c @implementation
func tractfs_open(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request, let file else { return }
    let fileSystem = FuseSession.of(request).fileSystem
    Reply(to: request).answer({ reply, handle in
        // An inode is one version of an object, so what the kernel has of its pages stays right for good.
        file.pointee.keep_cache = 1
        file.pointee.noflush = 1
        if !reply.send(handle, opening: file) { fileSystem.close(handle) }
    }) { () throws(Errno) in
        let isForWriting = file.pointee.flags & O_ACCMODE != O_RDONLY
        return try fileSystem.open(InodeID(rawValue: inode), forWriting: isForWriting)
    }
}

@c @implementation
func tractfs_read(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ size: Int, _ offset: off_t,
    _ file: UnsafeMutablePointer<fuse_file_info>?
) {
    guard let request, let file else { return }
    let session = FuseSession.of(request)
    let handle = Handle(rawValue: file.pointee.fh)
    Reply(to: request).answer({ reply, available in
        switch available {
        case .bytes(let bytes): reply.send(bytes)
        case .endOfFile: reply.sendEndOfFile()
        case .toBeFetched: park(reply, in: session, reading: handle, offset: offset, byteCount: size)
        }
    }) { () throws(Errno) in
        try session.fileSystem.readAvailable(handle, offset: offset, byteCount: size)
    }
}

/// Leaves the reply to the thread that receives the bytes.
private func park(
    _ reply: consuming Reply, in session: FuseSession, reading handle: Handle, offset: Int, byteCount: Int
) {
    let parked = ParkedReply(reply, interrupts: session.interrupts)
    do throws(Errno) {
        let read = try session.fileSystem.read(handle, offset: offset, byteCount: byteCount) { result in
            guard let reply = parked.take() else { return }
            switch result {
            case .success(let bytes): reply.send(bytes)
            case .failure(let errno): reply.send(errno)
            }
        }
        parked.awaitInterrupt { read.cancel() }
    } catch {
        parked.take()?.send(error)
    }
}

@c @implementation
func tractfs_release(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request, let file else { return }
    FuseSession.of(request).fileSystem.close(Handle(rawValue: file.pointee.fh))
    Reply(to: request).send(nil)
}
