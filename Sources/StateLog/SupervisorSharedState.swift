import Glibc
import Synchronization
public import SystemPackage
import SystemSupport

/// Memory that a server shares with its supervisor and with later servers: the FUSE_INIT request, counts of requests
/// and replies, and the outcome of upgrades.
///
/// It outlives the processes that write it. Each field has one writer at a time. A field longer than a word is written
/// before the word that marks it as present.
public final class SupervisorSharedState: Sendable {
    private enum Offset {
        static let format = 0
        static let supervisor = 8
        static let agreement = 16
        static let initByteCount = 24
        static let takeoverCount = 32
        // One cache line each, because they change with every request, reply and piece of a response.
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
    /// The first word of memory with this layout. Change it together with `Offset`.
    private static let format: UInt64 = 0x3230_4750_5352_5454
    /// The most bytes of a FUSE_INIT request; current kernels send 104.
    public static let initByteCountMax = Offset.reason - Offset.initRequest
    private static let reasonByteCountMax = byteCount - Offset.reason

    private let memory: SharedMemory

    /// Creates the memory for a new mount, in its supervisor.
    public init() throws(Errno) {
        memory = try SharedMemory(named: "tractfs", byteCount: Self.byteCount)
        word(Offset.format).pointee.store(Self.format, ordering: .releasing)
        word(Offset.supervisor).pointee.store(UInt64(getpid()), ordering: .releasing)
    }

    /// Maps memory that an earlier process has created. The instance closes the descriptor.
    ///
    /// - Throws: `invalidArgument` if the memory has another format.
    public init(inheriting descriptor: FileDescriptor) throws(Errno) {
        memory = try SharedMemory(descriptor, byteCount: Self.byteCount)
        guard word(Offset.format).pointee.load(ordering: .acquiring) == Self.format else { throw .invalidArgument }
    }

    /// The descriptor of the memory, to be passed to other processes.
    public var descriptor: FileDescriptor { memory.descriptor }

    private func word(_ offset: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        (memory.start + offset).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// The process ID of the supervisor.
    public var supervisor: Int32 {
        Int32(truncatingIfNeeded: word(Offset.supervisor).pointee.load(ordering: .relaxed))
    }
}

// MARK: - FUSE_INIT

/// The capabilities that a kernel offers in FUSE_INIT and a server accepts, as far as libfuse 3.14 doesn't know them:
/// bits of the second word of flags.
public struct InitAgreement: OptionSet, Hashable, Sendable {
    /// The bits of the second word of flags.
    public let rawValue: UInt32

    /// Creates a set from these bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// FUSE_PASSTHROUGH, Linux 6.9: the kernel reads registered backing files itself.
    public static let passthrough = InitAgreement(rawValue: 1 << (37 - 32))
    /// FUSE_HAS_RESEND, Linux 6.9: the kernel sends requests again that an earlier server has taken and not answered.
    public static let resend = InitAgreement(rawValue: 1 << (39 - 32))

    /// All capabilities that tractfs uses.
    public static let all: InitAgreement = [.passthrough, .resend]
}

extension SupervisorSharedState {
    /// The FUSE_INIT request that the first server received; empty before that.
    public var initRequest: UnsafeRawBufferPointer {
        let byteCount = Int(word(Offset.initByteCount).pointee.load(ordering: .acquiring))
        return UnsafeRawBufferPointer(
            start: memory.start + Offset.initRequest, count: min(byteCount, Self.initByteCountMax))
    }

    /// Stores the request and the capabilities that the reply is about to accept. A request longer than
    /// `initByteCountMax` isn't stored, which rules out a takeover.
    public func keep(initRequest request: UnsafeRawBufferPointer, agreement: InitAgreement) {
        guard request.count <= Self.initByteCountMax else { return }
        (memory.start + Offset.initRequest).copyMemory(
            from: request.baseAddress.unsafelyUnwrapped, byteCount: request.count)
        word(Offset.agreement).pointee.store(UInt64(agreement.rawValue), ordering: .relaxed)
        word(Offset.initByteCount).pointee.store(UInt64(request.count), ordering: .releasing)
    }

    /// The capabilities that the first server has accepted; empty before that.
    public var agreement: InitAgreement {
        if initRequest.isEmpty { return [] }
        return InitAgreement(
            rawValue: UInt32(truncatingIfNeeded: word(Offset.agreement).pointee.load(ordering: .relaxed)))
    }

    /// `true` if the kernel sends the requests of a dead server to its successor.
    public var canBeTakenOver: Bool { agreement.contains(.resend) }
}

// MARK: - Progress

/// Counts of requests, replies and pieces of responses. Only their changes carry information.
public struct ConversationCount: Hashable, Sendable {
    /// The number of requests that servers have taken.
    public var taken: UInt64
    /// The number of replies.
    public var answered: UInt64
    /// The number of requests taken that need a reply and have none yet.
    public var owed: UInt64
    /// The number of pieces of responses received from the store.
    public var received: UInt64

    /// Creates counts with these values.
    public init(taken: UInt64, answered: UInt64, owed: UInt64, received: UInt64) {
        (self.taken, self.answered, self.owed, self.received) = (taken, answered, owed, received)
    }
}

extension SupervisorSharedState {
    /// The current counts.
    public var count: ConversationCount {
        ConversationCount(
            taken: word(Offset.taken).pointee.load(ordering: .relaxed),
            answered: word(Offset.answered).pointee.load(ordering: .relaxed),
            owed: word(Offset.owed).pointee.load(ordering: .relaxed),
            received: word(Offset.received).pointee.load(ordering: .relaxed))
    }

    /// Counts a request that the server has taken.
    public func noteTaken(isOwedAnswer: Bool) {
        word(Offset.taken).pointee.add(1, ordering: .relaxed)
        if isOwedAnswer { word(Offset.owed).pointee.add(1, ordering: .relaxed) }
    }

    /// Counts a reply that the server is about to send.
    public func noteAnswered() {
        word(Offset.answered).pointee.add(1, ordering: .relaxed)
        word(Offset.owed).pointee.subtract(1, ordering: .relaxed)
    }

    /// Counts a piece of a response. While pieces arrive, a reader with a slow connection doesn't make the server look
    /// as if it hung.
    public func noteReceived() {
        word(Offset.received).pointee.add(1, ordering: .relaxed)
    }

    /// The number of takeovers.
    public var takeoverCount: UInt64 { word(Offset.takeoverCount).pointee.load(ordering: .relaxed) }

    /// Counts a takeover. The successor takes the unanswered requests anew.
    public func noteTakeover() {
        word(Offset.takeoverCount).pointee.add(1, ordering: .relaxed)
        word(Offset.owed).pointee.store(0, ordering: .relaxed)
    }
}

// MARK: - Upgrades

extension SupervisorSharedState {
    /// Records the end of an upgrade; `failure` is the reason if it failed.
    public func noteUpgrade(failure: String?) {
        let bytes = Array((failure ?? "").utf8.prefix(Self.reasonByteCountMax))
        (memory.start + Offset.reason).copyMemory(from: bytes, byteCount: bytes.count)
        // Stores the length plus 1, so that an empty reason still means failure.
        word(Offset.upgradeFailure).pointee.store(failure == nil ? 0 : UInt64(bytes.count) + 1, ordering: .relaxed)
        word(Offset.upgradeCount).pointee.add(1, ordering: .releasing)
    }

    /// The number of upgrades that have ended.
    public var upgradeCount: UInt64 { word(Offset.upgradeCount).pointee.load(ordering: .acquiring) }

    /// The reason that the last upgrade failed; `nil` if it succeeded.
    public var upgradeFailure: String? {
        let length = Int(word(Offset.upgradeFailure).pointee.load(ordering: .relaxed))
        if length == 0 { return nil }
        let bytes = UnsafeRawBufferPointer(
            start: memory.start + Offset.reason, count: min(length - 1, Self.reasonByteCountMax))
        return String(decoding: bytes, as: UTF8.self)
    }
}
