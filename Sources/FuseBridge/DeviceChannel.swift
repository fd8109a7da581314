import CFuse
import Glibc
import StateLog
import Synchronization

/// What passes between libfuse and /dev/fuse: it sees each request before libfuse does, and each reply before the kernel
/// does.
///
/// libfuse 3.14 knows nothing of passthrough nor of resent requests, and hands on no answer of its own to FUSE_INIT. So the
/// request's offer is looked up here, and the reply is completed on its way out. From libfuse 3.17 on the bytes are the same.
///
/// A successor talks to a kernel that has been through all this. It is handed the FUSE_INIT that the first server got, so
/// that libfuse comes to the same agreement, and its reply goes nowhere.
final class DeviceChannel: Sendable {
    private let wanted: InitAgreement
    private let page: SupervisorSharedState?
    private let isSuccessor: Bool
    /// What the reply to FUSE_INIT, which is still to come, is to agree to.
    private let pendingAgreement = Atomic<UInt32>(0)
    /// The number of that FUSE_INIT; 0, which is no request's, for none. An atomic, since every reply looks at it.
    private let pendingInit = Atomic<UInt64>(0)
    private let isToReplay: Atomic<Bool>
    private let hasHandedOver = Atomic<Bool>(false)

    /// - Parameters:
    ///   - wanted: What to take where the kernel offers it.
    ///   - page: What the next server is to know is kept there.
    ///   - isSuccessor: Whether an earlier server has opened the conversation.
    init(wanted: InitAgreement, page: SupervisorSharedState? = nil, isSuccessor: Bool = false) {
        self.wanted = wanted
        self.page = page
        self.isSuccessor = isSuccessor
        isToReplay = Atomic(isSuccessor)
    }

    /// Copies the FUSE_INIT that a successor begins with to `buffer`, once. Returns its size; 0 where there is none.
    func replay(to buffer: UnsafeMutableRawBufferPointer) -> Int {
        guard isToReplay.load(ordering: .relaxed), isToReplay.exchange(false, ordering: .relaxed),
            let request = page?.initRequest, request.count <= buffer.count
        else { return 0 }
        buffer.copyMemory(from: request)
        return request.count
    }

    /// Takes note of a request.
    func noteRequest(_ request: UnsafeRawBufferPointer) {
        page?.noteTaken(isOwedAnswer: RequestHead(request)?.isOwedAnswer ?? false)
        guard let initiation = InitRequest(request) else { return }
        var agreement = initiation.offer.intersection(wanted)
        if isSuccessor, let page {
            // What the kernel was told can't be taken back, nor can it be told more.
            agreement = agreement.intersection(page.agreement)
        } else {
            page?.keep(initRequest: request, agreement: agreement)
        }
        pendingAgreement.store(agreement.rawValue, ordering: .relaxed)
        pendingInit.store(agreement.isEmpty && !isSuccessor ? 0 : initiation.unique, ordering: .releasing)
    }

    /// Whether the kernel has offered passthrough, and the reply that takes it is still to come.
    var willAskForPassthrough: Bool {
        pendingInit.load(ordering: .acquiring) != 0 && pending.contains(.passthrough)
    }

    private var pending: InitAgreement { InitAgreement(rawValue: pendingAgreement.load(ordering: .relaxed)) }

    /// What becomes of a reply.
    enum Passage: Hashable {
        case sent
        /// It is the one to FUSE_INIT, and agrees to this.
        case opening(InitAgreement, isSent: Bool)
        /// Its request is another server's by now.
        case refused
    }

    /// Completes a reply, if there is something to complete.
    ///
    /// - Parameter reply: Its pieces, the header alone in the first one.
    func pass(_ reply: UnsafeBufferPointer<iovec>) -> Passage {
        if isHandedOver { return .refused }
        guard let first = reply.first else { return .sent }
        let header = UnsafeRawBufferPointer(start: first.iov_base, count: first.iov_len)
        if ReplyHead.isOwedAnswer(header) { page?.noteAnswered() }
        let unique = pendingInit.load(ordering: .acquiring)
        guard unique != 0, reply.count >= 2, InitReply.isSuccess(header, of: unique) else { return .sent }
        pendingInit.store(0, ordering: .releasing)
        let body = UnsafeMutableRawBufferPointer(start: reply[1].iov_base, count: reply[1].iov_len)
        let agreement = InitReply.agree(to: pending, in: body) ? pending : []
        return .opening(agreement, isSent: !isSuccessor)
    }

    /// From now on nothing is answered: what was taken is for the next server, which the kernel hands it to once more.
    func handOver() {
        hasHandedOver.store(true, ordering: .releasing)
    }

    /// Whether that is so.
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
    case .opening(let agreement, let isSent):
        // Before the kernel has the reply, and so before the first open.
        if agreement.contains(.passthrough) { session.passthrough.begin(on: FuseDevice(descriptor: device)) }
        return CInt((isSent ? TRACTFS_REPLY_SENT : TRACTFS_REPLY_SWALLOWED).rawValue)
    }
}
