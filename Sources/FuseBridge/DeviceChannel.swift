import CFuse
import Glibc
import StateLog
import Synchronization

/// The channel between libfuse and /dev/fuse. It sees each request before libfuse, and each reply before the kernel.
///
/// libfuse 3.14 knows neither passthrough nor resent requests, and has no way to add flags to the reply to FUSE_INIT.
/// So the channel reads the flags that the request offers, and adds its own to the reply. libfuse 3.17 and later do the
/// same.
///
/// A successor connects to a kernel that has been initialized already. It replays the FUSE_INIT of the first server, so
/// that libfuse negotiates the same options, and discards the reply.
final class DeviceChannel: Sendable {
    private let wanted: InitAgreement
    private let page: SupervisorSharedState?
    private let isSuccessor: Bool
    /// The flags to add to the reply to the pending FUSE_INIT.
    private let pendingAgreement = Atomic<UInt32>(0)
    /// The unique id of the pending FUSE_INIT; 0, which no request has, for none. An atomic, since every reply reads
    /// it.
    private let pendingInit = Atomic<UInt64>(0)
    private let isToReplay: Atomic<Bool>
    private let hasHandedOver = Atomic<Bool>(false)

    /// Creates a channel that has seen no request.
    ///
    /// - Parameters:
    ///   - wanted: The flags to accept if the kernel offers them.
    ///   - page: The memory in which FUSE_INIT is stored for the next server.
    ///   - isSuccessor: `true` if an earlier server has received FUSE_INIT.
    init(wanted: InitAgreement, page: SupervisorSharedState? = nil, isSuccessor: Bool = false) {
        self.wanted = wanted
        self.page = page
        self.isSuccessor = isSuccessor
        isToReplay = Atomic(isSuccessor)
    }

    /// Copies the FUSE_INIT that a successor replays to `buffer`, once. Returns its size; 0 for none.
    func replay(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard isToReplay.load(ordering: .relaxed), isToReplay.exchange(false, ordering: .relaxed),
            let request = page?.initRequest, request.count <= buffer.count
        else { return 0 }
        buffer.copyMemory(from: request)
        return request.count
    }

    /// Records a request that was read.
    func noteRequest(_ request: UnsafeRawBufferPointer) {
        page?.noteTaken(isOwedAnswer: RequestHead(request)?.expectsReply ?? false)
        guard let initiation = InitRequest(request) else { return }
        var agreement = initiation.offer.intersection(wanted)
        if isSuccessor, let page {
            // The kernel has the first server's reply already, so the flags cannot change.
            agreement = agreement.intersection(page.agreement)
        } else {
            page?.keep(initRequest: request, agreement: agreement)
        }
        pendingAgreement.store(agreement.rawValue, ordering: .relaxed)
        pendingInit.store(agreement.isEmpty && !isSuccessor ? 0 : initiation.unique, ordering: .releasing)
    }

    /// `true` if the kernel has offered passthrough, and the reply that accepts it is still to come.
    var willAskForPassthrough: Bool {
        pendingInit.load(ordering: .acquiring) != 0 && pending.contains(.passthrough)
    }

    private var pending: InitAgreement { InitAgreement(rawValue: pendingAgreement.load(ordering: .relaxed)) }

    /// The way in which a reply is handled.
    enum Disposition: Hashable {
        case sent
        /// The reply to FUSE_INIT, with these flags added. A successor does not send it.
        case initReply(InitAgreement, isSent: Bool)
        /// The request belongs to another server now.
        case refused
    }

    /// Completes the reply to FUSE_INIT; leaves all others unchanged.
    ///
    /// - Parameter reply: The parts of the reply; the first one is the header alone.
    func pass(_ reply: UnsafeBufferPointer<iovec>) -> Disposition {
        if isHandedOver { return .refused }
        guard let first = reply.first else { return .sent }
        let header = UnsafeRawBufferPointer(start: first.iov_base, count: first.iov_len)
        if ReplyHead.answersRequest(header) { page?.noteAnswered() }
        let unique = pendingInit.load(ordering: .acquiring)
        guard unique != 0, reply.count >= 2, InitReply.isSuccess(header, of: unique) else { return .sent }
        pendingInit.store(0, ordering: .releasing)
        let body = UnsafeMutableRawBufferPointer(start: reply[1].iov_base, count: reply[1].iov_len)
        let agreement = InitReply.agree(to: pending, in: body) ? pending : []
        return .initReply(agreement, isSent: !isSuccessor)
    }

    /// Refuses all replies from now on: the kernel resends the unanswered requests to the next server.
    func handOver() {
        hasHandedOver.store(true, ordering: .releasing)
    }

    /// `true` after `handOver`.
    var isHandedOver: Bool { hasHandedOver.load(ordering: .acquiring) }
}

@c @implementation
func tractfs_replayed_request(
    _ buffer: UnsafeMutableRawPointer?, _ size: Int, _ userdata: UnsafeMutableRawPointer?
) -> Int {
    guard let userdata else { return 0 }
    return FuseSession.of(userdata).channel.replay(to: UnsafeMutableRawBufferPointer(start: buffer, count: size))
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
) -> CInt {
    guard let userdata else { return CInt(TRACTFS_REPLY_SENT.rawValue) }
    let session = FuseSession.of(userdata)
    switch session.channel.pass(UnsafeBufferPointer(start: vectors, count: Int(count))) {
    case .sent: return CInt(TRACTFS_REPLY_SENT.rawValue)
    case .refused: return CInt(TRACTFS_REPLY_REFUSED.rawValue)
    case .initReply(let agreement, let isSent):
        // Must happen before the kernel has the reply, and so before the first open.
        if agreement.contains(.passthrough) { session.passthrough.begin(on: FuseDevice(descriptor: device)) }
        return CInt((isSent ? TRACTFS_REPLY_SENT : TRACTFS_REPLY_SWALLOWED).rawValue)
    }
}
