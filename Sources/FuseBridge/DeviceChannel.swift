import CFuse
import Glibc
import Synchronization

/// What passes between libfuse and /dev/fuse: it sees each request before libfuse does, and each reply before the kernel
/// does.
///
/// libfuse 3.14 knows nothing of passthrough, and hands on no answer of its own to FUSE_INIT. So the request's offer is
/// looked up here, and the reply is completed on its way out. From libfuse 3.17 on the bytes are the same.
final class DeviceChannel: Sendable {
    private let asksForPassthrough: Bool
    /// The number of the FUSE_INIT whose reply is to ask for passthrough; 0, which is no request's, for none. An atomic,
    /// since every reply looks at it.
    private let pendingInit = Atomic<UInt64>(0)

    /// - Parameter asksForPassthrough: Whether to take passthrough where the kernel offers it.
    init(asksForPassthrough: Bool) {
        self.asksForPassthrough = asksForPassthrough
    }

    /// Takes note of a request.
    func noteRequest(_ request: UnsafeRawBufferPointer) {
        guard let initiation = InitRequest(request) else { return }
        let isTaken = asksForPassthrough && initiation.offersPassthrough
        pendingInit.store(isTaken ? initiation.unique : 0, ordering: .releasing)
    }

    /// Whether the kernel has offered passthrough, and the reply that takes it is still to come.
    var willAskForPassthrough: Bool { pendingInit.load(ordering: .acquiring) != 0 }

    /// Completes a reply, if there is something to complete.
    ///
    /// - Parameter reply: Its pieces, the header alone in the first one.
    /// - Returns: Whether this reply has asked the kernel for passthrough.
    func complete(_ reply: UnsafeBufferPointer<iovec>) -> Bool {
        let unique = pendingInit.load(ordering: .acquiring)
        guard unique != 0, reply.count >= 2 else { return false }
        let header = UnsafeRawBufferPointer(start: reply[0].iov_base, count: reply[0].iov_len)
        guard InitReply.isSuccess(header, of: unique) else { return false }
        pendingInit.store(0, ordering: .releasing)
        return InitReply.askForPassthrough(
            UnsafeMutableRawBufferPointer(start: reply[1].iov_base, count: reply[1].iov_len))
    }
}

@c @implementation
func tractfs_request_read(
    _ device: CInt, _ request: UnsafeRawPointer?, _ size: Int, _ userdata: UnsafeMutableRawPointer?
) {
    guard let userdata else { return }
    FuseSession.of(userdata).channel.noteRequest(UnsafeRawBufferPointer(start: request, count: size))
}

@c @implementation
func tractfs_reply_written(
    _ device: CInt, _ vectors: UnsafePointer<iovec>?, _ count: CInt, _ userdata: UnsafeMutableRawPointer?
) {
    guard let userdata else { return }
    let session = FuseSession.of(userdata)
    // Before the kernel has the reply, and so before the first open.
    if session.channel.complete(UnsafeBufferPointer(start: vectors, count: Int(count))) {
        session.passthrough.begin(on: FuseDevice(descriptor: device))
    }
}
