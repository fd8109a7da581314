import CFuse
import CLinux
import FileSystem
import Glibc
import MountControl
import Namespace
import struct SystemPackage.Errno

/// Responds to control calls of `tractfs` commands (MountControl).
@c @implementation
func tractfs_ioctl(
    _ request: fuse_req_t?, _ inode: fuse_ino_t, _ command: CUnsignedInt, _ argument: UnsafeMutableRawPointer?,
    _ file: UnsafeMutablePointer<fuse_file_info>?, _ flags: CUnsignedInt, _ input: UnsafeRawPointer?, _ inputSize: Int,
    _ outputSize: Int
) {
    guard let request else { return }
    let session = FuseSession.of(request)
    // isatty(3) and Python's open send an ioctl to every file: not a terminal.
    guard UInt(command) == TRACTFS_CONTROL, flags & UInt32(FUSE_IOCTL_DIR) != 0 else {
        return Reply(to: request).send(.inappropriateIOCTLForDevice)
    }
    let folder = InodeID(rawValue: inode)
    do throws(Errno) {
        try session.checkAccess(.read, to: folder, by: request)
    } catch {
        return Reply(to: request).send(error)
    }
    let parked = ParkedReply(Reply(to: request), interrupts: session.interrupts)
    let fetch = session.control.respond(
        to: UnsafeRawBufferPointer(start: input, count: inputSize), about: folder, isOwner: isOwner(request),
        requester: { FileSystem.Requester(of: request) }
    ) { result in
        parked.take()?.answer({ $0.send(ioctlBytes: $1) }) { () throws(Errno) in try result.get() }
    }
    parked.awaitInterrupt { fetch?.cancel() }
}

/// Returns `true` if the caller may decide which files stay in the cache: the user who mounted, and root.
private func isOwner(_ request: fuse_req_t) -> Bool {
    // If another program has mounted, the user IDs may be those of its user namespace.
    if FuseSession.of(request).isForeign { return false }
    let user = fuse_req_ctx(request).pointee.uid
    return user == 0 || user == geteuid()
}

extension FileSystem.Requester {
    /// Creates the requester of a FUSE request.
    init(of request: fuse_req_t) {
        let context = fuse_req_ctx(request).pointee
        let caller = Caller(of: request, isForeign: FuseSession.of(request).isForeign)
        let others = caller.mayBeAnother ? [] : Self.supplementaryGroups(of: request)
        self.init(userID: context.uid, groupIDs: [context.gid] + others)
    }

    /// Returns the supplementary groups of the process, from /proc; none if it has ended, or can't be seen from here
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
