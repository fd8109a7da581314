import CFuse
import FileSystem
import Glibc
import Namespace
import struct SystemPackage.Errno

// The operations of the table in CFuse, called by libfuse's worker threads. Each one turns a request into a call of
// FileSystem, and its result into a reply, and decides nothing else. None of them blocks: if the result is not
// available immediately, the thread that provides it sends the reply. Directories and reads have files of their own.

@c @implementation
func tractfs_init(_ userdata: UnsafeMutableRawPointer?, _ connection: UnsafeMutablePointer<fuse_conn_info>?) {
    guard let userdata, let connection else { return }
    FuseSession.of(userdata).begin(&connection.pointee)
}

@c @implementation
func tractfs_lookup(_ request: fuse_req_t?, _ parent: fuse_ino_t, _ name: UnsafePointer<CChar>?) {
    guard let request, let name else { return }
    let session = FuseSession.of(request)
    let fileSystem = session.fileSystem
    do throws(Errno) {
        try session.checkAccess(.execute, to: InodeID(rawValue: parent), by: request)
    } catch {
        return Reply(to: request).send(error)
    }
    let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
    let bytes = UnsafeRawBufferPointer(start: name, count: strlen(name))
    fileSystem.lookup(bytes, in: InodeID(rawValue: parent)) { result in
        let reply = parked.take()
        switch result {
        case .success(let lookup):
            // If an interrupt has answered the request, or the kernel does not accept the reply, the kernel does not
            // count the lookup either.
            let limits = (session.nameTimeoutLimit, session.negativeTimeoutLimit)
            if reply?.send(lookup, nameTimeoutLimit: limits.0, negativeTimeoutLimit: limits.1) != true,
                let entry = lookup.entry
            {
                fileSystem.forget(entry.id, count: 1)
            }
        case .failure(let errno):
            reply?.send(errno)
        }
    }
    parked.awaitInterrupt()
}

@c @implementation
func tractfs_forget(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ count: UInt64) {
    guard let request else { return }
    FuseSession.of(request).fileSystem.forget(InodeID(rawValue: inode), count: count)
    Reply(to: request).sendNothing()
}

@c @implementation
func tractfs_forget_multi(_ request: fuse_req_t?, _ count: Int, _ forgets: UnsafeMutablePointer<fuse_forget_data>?) {
    guard let request else { return }
    let fileSystem = FuseSession.of(request).fileSystem
    for forget in UnsafeBufferPointer(start: forgets, count: count) {
        fileSystem.forget(InodeID(rawValue: forget.ino), count: forget.nlookup)
    }
    Reply(to: request).sendNothing()
}

@c @implementation
func tractfs_getattr(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ file: UnsafeMutablePointer<fuse_file_info>?) {
    guard let request else { return }
    Reply(to: request).answer({ $0.send($1) }) { () throws(Errno) in
        try FuseSession.of(request).fileSystem.attributes(of: InodeID(rawValue: inode))
    }
}

/// Called only if the kernel does not check permissions: this program mounts with `default_permissions`.
@c @implementation
func tractfs_access(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ mask: CInt) {
    guard let request else { return }
    if mask & W_OK != 0 { return Reply(to: request).send(.readOnlyFileSystem) }
    let kind = AccessKind(rawValue: UInt32(mask)).intersection([.read, .execute])
    Reply(to: request).answer({ reply, _ in reply.send(nil) }) { () throws(Errno) in
        try FuseSession.of(request).checkAccess(kind, to: InodeID(rawValue: inode), by: request)
    }
}

@c @implementation
func tractfs_statfs(_ request: fuse_req_t?, _ inode: fuse_ino_t) {
    guard let request else { return }
    Reply(to: request).send(FuseSession.of(request).fileSystem.capacity)
}

@c @implementation
func tractfs_getxattr(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ name: UnsafePointer<CChar>?, _ size: Int) {
    guard let request, let name else { return }
    let session = FuseSession.of(request)
    let (attribute, id) = (String(cString: name), InodeID(rawValue: inode))
    do throws(Errno) {
        try session.checkAccess(.read, to: id, by: request)
    } catch {
        return Reply(to: request).send(error)
    }
    if session.fileSystem.isPresignedURL(attribute: attribute) {
        return sendPresignedURL(of: id, Reply(to: request), limit: size, in: session)
    }
    Reply(to: request).answer({ $0.send(attribute: $1, limit: size) }) { () throws(Errno) in
        try session.fileSystem.extendedAttribute(attribute, of: id)
    }
}

/// Replies when the URL can be signed.
private func sendPresignedURL(of id: InodeID, _ reply: consuming Reply, limit: Int, in session: FuseSession) {
    let parked = ParkedReply(reply, interrupts: session.interrupts)
    session.fileSystem.presignedURLAttribute(of: id) { result in
        guard let reply = parked.take() else { return }
        switch result {
        case .success(let value): reply.send(attribute: value, limit: limit)
        case .failure(let errno): reply.send(errno)
        }
    }
    parked.awaitInterrupt()
}

@c @implementation
func tractfs_listxattr(_ request: fuse_req_t?, _ inode: fuse_ino_t, _ size: Int) {
    guard let request else { return }
    Reply(to: request).answer({ $0.send(attribute: $1, limit: size) }) { () throws(Errno) in
        try FuseSession.of(request).fileSystem.extendedAttributeNames(of: InodeID(rawValue: inode))
    }
}
