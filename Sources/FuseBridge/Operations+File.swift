import CFuse
import FileSystem
import Glibc
import Namespace
import Reader
import struct SystemPackage.Errno

@c @implementation
func tractfs_open(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request, let file else { return }
    let session = FuseSession.of(request)
    let id = InodeID(rawValue: inode)
    let flags = file.pointee.flags
    do throws(Errno) {
        try session.checkAccess(flags & TRACTFS_O_EXEC == 0 ? .read : .execute, to: id, by: request)
    } catch {
        return Reply(to: request).send(flags.wantsToWrite ? .readOnlyFileSystem : error)
    }
    let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
    let wait = session.fileSystem.open(
        id, forWriting: flags.wantsToWrite, wantsLocalFile: session.passthrough.wantsFile(of: id)
    ) { result in
        let reply = parked.take()
        switch result {
        case .success(let opened):
            // An interrupt has answered the request, so the kernel never gets the handle.
            guard let reply else { return session.fileSystem.close(opened.handle) }
            send(opened, of: id, isDirect: flags & TRACTFS_O_DIRECT != 0, to: reply, in: session)
        case .failure(let errno):
            reply?.send(errno)
        }
    }
    parked.awaitInterrupt { wait?.cancel() }
}

extension CInt {
    /// `true` if these flags of open(2) ask for more than reading.
    fileprivate var wantsToWrite: Bool { self & O_ACCMODE != O_RDONLY || self & O_TRUNC != 0 }
}

/// Replies to an open. The source of the file is decided now and not before the wait, in which other opens may have
/// decided it.
private func send(
    _ opened: FileSystem.OpenedFile, of inode: InodeID, isDirect: Bool, to reply: consuming Reply,
    in session: FuseSession
) {
    let backing = session.passthrough.open(inode, opened.handle, file: opened.localFile)
    if backing != nil { session.fileSystem.noteLocalReading(opened.handle) }
    if reply.send(tractfs_open_reply(opened.handle, backing: backing, isDirect: isDirect)) { return }
    session.passthrough.release(inode, opened.handle)
    session.fileSystem.close(opened.handle)
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
    let session = FuseSession.of(request)
    let handle = Handle(rawValue: file.pointee.fh)
    session.passthrough.release(InodeID(rawValue: inode), handle)
    session.fileSystem.close(handle)
    Reply(to: request).send(nil)
}
