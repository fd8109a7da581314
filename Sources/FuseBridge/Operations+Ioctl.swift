import CFuse
import FileSystem
import Glibc
import Namespace
import struct SystemPackage.Errno

/// What our own commands ask of a mount (CFuse.h).
@c @implementation
func tractfs_ioctl(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ command: CUnsignedInt, _ argument: UnsafeMutableRawPointer?,
    _ file: UnsafeMutablePointer<fuse_file_info>?, _ flags: CUnsignedInt, _ input: UnsafeRawPointer?, _ inputSize: Int,
    _ outputSize: Int
) {
    guard let request, let file else { return }
    let session = FuseSession.of(request)
    let directory = flags & UInt32(FUSE_IOCTL_DIR) == 0 ? nil : Handle(rawValue: file.pointee.fh)
    let number = inputSize == MemoryLayout<UInt32>.size ? input?.loadUnaligned(as: UInt32.self) : nil
    switch (UInt(command), directory, number) {
    case (TRACTFS_IOCTL_SUPERVISION, _, _):
        Reply(to: request).send(ioctl: tractfs_supervision(Supervision(of: session)))
    case (TRACTFS_IOCTL_REFRESH, let directory?, 0):
        refresh(directory, .tree, Reply(to: request), in: session)
    case (TRACTFS_IOCTL_REFRESH, let directory?, 1):
        refresh(directory, .directory, Reply(to: request), in: session)
    case (TRACTFS_IOCTL_WARM, let directory?, 0):
        Reply(to: request).answer({ reply, _ in reply.send(ioctlResult: nil) }) { () throws(Errno) in
            try session.fileSystem.beginWarming(directory)
        }
    case (TRACTFS_IOCTL_WARM_STATUS, let directory?, _):
        Reply(to: request).answer({ $0.send(ioctl: tractfs_warm_status($1)) }) { () throws(Errno) in
            try session.fileSystem.warmStatus(directory)
        }
    case (TRACTFS_IOCTL_PRESIGN, let directory?, _):
        guard let question = PresignQuestion(UnsafeRawBufferPointer(start: input, count: inputSize)) else {
            return Reply(to: request).send(.invalidArgument)
        }
        presign(question, in: directory, Reply(to: request), for: FileSystem.Asker(of: request), in: session)
    case (TRACTFS_IOCTL_FILE, let directory?, _):
        guard let question = FileMessages.question(UnsafeRawBufferPointer(start: input, count: inputSize)) else {
            return Reply(to: request).send(.invalidArgument)
        }
        if question.actions.contains(.keep), !isKeeper(request) { return Reply(to: request).send(.notPermitted) }
        fetch(question, in: directory, Reply(to: request), for: FileSystem.Asker(of: request), in: session)
    case (TRACTFS_IOCTL_CACHE_ROOM, _?, _):
        let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
        session.fileSystem.cacheRoom { result in
            parked.take()?.answer({ $0.send(ioctl: tractfs_cache_room($1)) }) { () throws(Errno) in try result.get() }
        }
        parked.awaitInterrupt()
    case (TRACTFS_IOCTL_RELEASE, let directory?, _):
        guard let name = FileMessages.releasedName(UnsafeRawBufferPointer(start: input, count: inputSize)) else {
            return Reply(to: request).send(.invalidArgument)
        }
        guard isKeeper(request) else { return Reply(to: request).send(.notPermitted) }
        let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
        session.fileSystem.release(name, in: directory) { result in
            parked.take()?.answer({ $0.send(ioctl: tractfs_release_answer($1)) }) { () throws(Errno) in
                try result.get()
            }
        }
        parked.awaitInterrupt()
    case (TRACTFS_IOCTL_STATUS, _?, _):
        Reply(to: request).answer({ $0.send(ioctlBytes: $1) }) { () throws(Errno) in try session.status() }
    case (TRACTFS_IOCTL_REPORT, let directory?, _):
        let question = input.map { UnsafeRawBufferPointer(start: $0, count: inputSize) }
        Reply(to: request).answer({ $0.send(ioctlBytes: $1) }) { () throws(Errno) in
            guard let offset = question.flatMap(ReportPage.offset) else { throw .invalidArgument }
            return try session.reportPage(at: offset, for: directory)
        }
    default:
        // What isatty(3) and Python's open ask of every file: not a terminal.
        Reply(to: request).send(Errno(rawValue: ENOTTY))
    }
}

/// Answers when the kernel has heard of it.
private func refresh(
    _ directory: Handle, _ extent: Namespace.Extent, _ reply: consuming Reply, in session: FuseSession
) {
    let parked = ParkedReply(reply, interrupts: session.interrupts)
    session.fileSystem.refresh(directory, extent) { errno in parked.take()?.send(ioctlResult: errno) }
    parked.awaitInterrupt()
}

/// Answers when there is something to sign with.
private func presign(
    _ question: PresignQuestion, in directory: Handle, _ reply: consuming Reply, for asker: FileSystem.Asker,
    in session: FuseSession
) {
    let parked = ParkedReply(reply, interrupts: session.interrupts)
    session.fileSystem.presign(question.name, in: directory, lifetime: question.lifetime, for: asker) { result in
        guard let reply = parked.take() else { return }
        reply.answer({ $0.send(ioctlBytes: $1) }) { () throws(Errno) in try PresignAnswer.bytes(result) }
    }
    parked.awaitInterrupt()
}

/// Answers when the piece is on the disk.
private func fetch(
    _ question: FileSystem.FetchQuestion, in directory: Handle, _ reply: consuming Reply, for asker: FileSystem.Asker,
    in session: FuseSession
) {
    let parked = ParkedReply(reply, interrupts: session.interrupts)
    let wait = session.fileSystem.fetch(question, in: directory, for: asker) { result in
        guard let reply = parked.take() else { return }
        reply.answer({ $0.send(ioctl: $1) }) { () throws(Errno) in try FileMessages.answer(result) }
    }
    parked.awaitInterrupt { wait.cancel() }
}

/// Whether whoever sent a request may say what the cache keeps: whose cache it is, and root.
private func isKeeper(_ request: fuse_req_t) -> Bool {
    // Where another program has mounted, the numbers of users may be those of its user namespace.
    if FuseSession.of(request).isForeign { return false }
    let user = fuse_req_ctx(request).pointee.uid
    return user == 0 || user == geteuid()
}

extension FileSystem.Asker {
    /// Who sent a request.
    init(of request: fuse_req_t) {
        let context = fuse_req_ctx(request).pointee
        let caller = Caller(of: request, isForeign: FuseSession.of(request).isForeign)
        let others = caller.mayBeAnother ? [] : Self.supplementaryGroups(of: request)
        self.init(userID: context.uid, groupIDs: [context.gid] + others)
    }

    /// Those that the kernel says of the process; none where it is gone, or can't be seen from here
    /// (fuse_req_getgroups in fuse_lowlevel.h).
    private static func supplementaryGroups(of request: fuse_req_t) -> [gid_t] {
        var capacity = 64
        while true {
            var totalCount: CInt = 0
            let groups = [gid_t](unsafeUninitializedCapacity: capacity) { buffer, count in
                totalCount = fuse_req_getgroups(request, CInt(buffer.count), buffer.baseAddress)
                count = min(max(Int(totalCount), 0), buffer.count)
            }
            guard totalCount > capacity else { return groups }
            capacity = Int(totalCount)
        }
    }
}

extension tractfs_warm_status {
    init(_ status: FileSystem.WarmStatus) {
        self.init()
        key_count = UInt64(status.keyCount)
        page_count = UInt64(status.pageCount)
        switch status.outcome {
        case nil: error = EINPROGRESS
        case .success: error = 0
        case .failure(let failure):
            error = failure.errno.rawValue
            withUnsafeMutableBytes(of: &reason) { buffer in
                let bytes = failure.reason.utf8.prefix(buffer.count)
                buffer.copyBytes(from: bytes)
                reason_byte_count = UInt32(bytes.count)
            }
        }
    }
}
