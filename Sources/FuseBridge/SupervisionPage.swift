import Glibc
import SystemSupport
import Synchronization
public import SystemPackage

/// A page of memory that a serving process shares with its supervisor and with the servers after it: how the conversation
/// with the kernel was opened, how it goes, and what became of upgrades.
///
/// It survives whoever writes it. Each field has one writer at a time, and what is longer than a word is written before the
/// word that says that it is there.
public final class SupervisionPage: Sendable {
    private enum Offset {
        static let format = 0
        static let supervisor = 8
        static let agreement = 16
        static let initByteCount = 24
        static let takeoverCount = 32
        // A cache line each, for every request, reply and piece of an answer is counted.
        static let taken = 64
        static let answered = 128
        static let owed = 192
        static let received = 256
        static let upgradeCount = 320
        static let upgradeFailure = 328
        static let initRequest = 1_024
        static let reason = 2_048
    }

    private static let byteCount = 4_096
    /// What pages of this form begin with.
    private static let format: UInt64 = 0x3230_4750_5352_5454
    /// The most bytes of a FUSE_INIT request; those of today have 104.
    static let initByteCountMax = Offset.reason - Offset.initRequest
    private static let reasonByteCountMax = byteCount - Offset.reason

    private let memory: SharedMemory

    /// A new page, for a new mount, made by its supervisor.
    public init() throws(Errno) {
        memory = try SharedMemory(named: "tractfs", byteCount: Self.byteCount)
        word(Offset.format).pointee.store(Self.format, ordering: .releasing)
        word(Offset.supervisor).pointee.store(UInt64(getpid()), ordering: .releasing)
    }

    /// A page that was made by a process before, whose descriptor is this instance's to close.
    ///
    /// - Throws: `invalidArgument` where it has another form.
    public init(inheriting descriptor: FileDescriptor) throws(Errno) {
        memory = try SharedMemory(descriptor, byteCount: Self.byteCount)
        guard word(Offset.format).pointee.load(ordering: .acquiring) == Self.format else { throw .invalidArgument }
    }

    /// What the page is inherited by.
    public var descriptor: FileDescriptor { memory.descriptor }

    private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (memory.start + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }
}

// MARK: - How the conversation was opened

extension SupervisionPage {
    /// The FUSE_INIT request as the first server got it; empty before there is one.
    var initRequest: UnsafeRawBufferPointer {
        let byteCount = Int(word(Offset.initByteCount).pointee.load(ordering: .acquiring))
        return UnsafeRawBufferPointer(
            start: memory.start + Offset.initRequest, count: min(byteCount, Self.initByteCountMax))
    }

    /// Keeps the request, and what the reply to it is about to agree to. A longer request than there is room for isn't kept,
    /// and then nobody can take over.
    func keep(initRequest request: UnsafeRawBufferPointer, agreement: InitAgreement) {
        guard request.count <= Self.initByteCountMax else { return }
        (memory.start + Offset.initRequest).copyMemory(
            from: request.baseAddress.unsafelyUnwrapped, byteCount: request.count)
        word(Offset.agreement).pointee.store(UInt64(agreement.rawValue), ordering: .relaxed)
        word(Offset.initByteCount).pointee.store(UInt64(request.count), ordering: .releasing)
    }

    /// What the first server and the kernel have agreed on; nothing before they have.
    var agreement: InitAgreement {
        if initRequest.isEmpty { return [] }
        return InitAgreement(
            rawValue: UInt32(truncatingIfNeeded: word(Offset.agreement).pointee.load(ordering: .relaxed)))
    }

    /// Whether the kernel will hand a dead server's requests to the next one.
    public var canBeTakenOver: Bool { agreement.contains(.resend) }
}

// MARK: - How it goes

extension SupervisionPage {
    /// How many servers have taken over from another one.
    var takeoverCount: UInt64 { word(Offset.takeoverCount).pointee.load(ordering: .relaxed) }
}

/// What has passed between the kernel, a server and its store. Only changes mean something.
public struct ConversationCount: Hashable, Sendable {
    /// How many requests the server has taken.
    public var taken: UInt64
    /// How many it has answered.
    public var answered: UInt64
    /// How many it has taken and owes an answer to.
    public var owed: UInt64
    /// How many pieces of answers have come from the store.
    public var received: UInt64
}

extension SupervisionPage {
    /// What has passed so far.
    public var count: ConversationCount {
        ConversationCount(
            taken: word(Offset.taken).pointee.load(ordering: .relaxed),
            answered: word(Offset.answered).pointee.load(ordering: .relaxed),
            owed: word(Offset.owed).pointee.load(ordering: .relaxed),
            received: word(Offset.received).pointee.load(ordering: .relaxed))
    }

    /// A server has taken a request.
    func noteTaken(isOwedAnswer: Bool) {
        word(Offset.taken).pointee.add(1, ordering: .relaxed)
        if isOwedAnswer { word(Offset.owed).pointee.add(1, ordering: .relaxed) }
    }

    /// A server is about to answer one.
    func noteAnswered() {
        word(Offset.answered).pointee.add(1, ordering: .relaxed)
        word(Offset.owed).pointee.subtract(1, ordering: .relaxed)
    }

    /// Something has come from the store: who waits for much of it on a slow line waits for no server that hangs.
    public func noteReceived() {
        word(Offset.received).pointee.add(1, ordering: .relaxed)
    }

    /// What the last server owed is the next one's to answer, who will take it again.
    public func noteTakeover() {
        word(Offset.takeoverCount).pointee.add(1, ordering: .relaxed)
        word(Offset.owed).pointee.store(0, ordering: .relaxed)
    }

    /// The supervisor's process id.
    var supervisor: Int32 { Int32(truncatingIfNeeded: word(Offset.supervisor).pointee.load(ordering: .relaxed)) }
}

// MARK: - Upgrades

extension SupervisionPage {
    /// An upgrade has ended; `failure` says why it failed, if it did.
    public func noteUpgrade(failure: String?) {
        let bytes = Array((failure ?? "").utf8.prefix(Self.reasonByteCountMax))
        (memory.start + Offset.reason).copyMemory(from: bytes, byteCount: bytes.count)
        // One more than the length, so that a failure without words is one.
        word(Offset.upgradeFailure).pointee.store(failure == nil ? 0 : UInt64(bytes.count) + 1, ordering: .relaxed)
        word(Offset.upgradeCount).pointee.add(1, ordering: .releasing)
    }

    /// How many upgrades have ended.
    var upgradeCount: UInt64 { word(Offset.upgradeCount).pointee.load(ordering: .acquiring) }

    /// Why the last one failed; `nil` where it didn't.
    var upgradeFailure: String? {
        let length = Int(word(Offset.upgradeFailure).pointee.load(ordering: .relaxed))
        if length == 0 { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: memory.start + Offset.reason, count: min(length - 1, Self.reasonByteCountMax))
        return String(decoding: bytes, as: UTF8.self)
    }
}
