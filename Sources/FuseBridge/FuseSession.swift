import CFuse
package import FileSystem
import Glibc
package import Logging
package import MountControl
import Namespace
public import StateLog
import Synchronization
import SystemSupport
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// One mount's connection to the kernel: takes requests from it until the mount ends.
public final class FuseSession: Sendable {
    let fileSystem: FileSystem
    let interrupts: Interrupts
    let channel: DeviceChannel
    let passthrough: Passthrough
    /// Whether the kernel may keep the entries of directories (FOPEN_CACHE_DIR).
    let kernelCopiesDirectories = KernelVersion.running().map(\.copiesDirectoriesWell) ?? false
    let notifier: KernelNotifier
    private let logger: Logger
    private let state = Mutex(State())
    private let mayDistrustAbsences = Atomic(true)
    /// What is shared with the supervisor; `nil` where there is none.
    let page: SupervisionPage?
    private let isSuccessor: Bool
    /// `true` if another program made the mount, and so decided its options.
    let isForeign: Bool
    /// Where an overlay lies on the mount, or is going to; `nil` for none.
    private let overlaidAt: String?
    let control: ControlServer
    private let currentCounts: @Sendable () -> SessionCounts

    private struct State {
        /// Called once the kernel has opened the conversation.
        var didBegin: (@Sendable () -> Void)?
        /// The session and the thread that runs it, while it runs.
        var running: Running?
        var isEnding = false
    }

    /// Pointers are handed on as numbers, because they only name something: `fuse_session_exit` sets a flag.
    private struct Running {
        let session: UInt
        let thread: pthread_t
        let device: FuseDevice
    }

    /// The most bytes of one read request: libfuse's and the kernel's limit of 256 pages.
    static let readByteCountLimit = 1 << 20
    /// How many requests the kernel may have under way for reading ahead. Its default of 12 would keep the reader from
    /// seeing more than 12 reads ahead.
    private static let backgroundRequestCount: UInt32 = 64
    /// How many threads libfuse may use. They never wait, so a few are enough; more only contend for /dev/fuse.
    private static let threadCountLimit: UInt32 = 8
    /// What ends the loop's wait; its handler does nothing.
    private static let wakeSignal = SIGUSR1

    /// A session that serves `fileSystem`.
    ///
    /// - Parameters:
    ///   - log: Where that is written which the next process must know (`restore`); the file system's as well.
    ///   - page: What is shared with a supervisor, if there is one.
    ///   - isSuccessor: Whether it goes on with what an earlier session has begun, which had the same `page`.
    ///   - overlaidAt: Where an overlay lies on the mount, or is going to; `nil` for none.
    ///   - isForeign: Whether another program made the mount. Its kernel may check neither permissions nor that nothing is changed.
    ///   - version: The version of the program, for `tractfs status` and `tractfs upgrade`.
    ///   - status: Returns the status of the mount; `nil` if it has none.
    ///   - report: Returns the report of the mount, likewise.
    package init(
        fileSystem: FileSystem, log: StateLog? = nil, page: SupervisionPage? = nil, isSuccessor: Bool = false,
        overlaidAt: String? = nil, isForeign: Bool = false, version: String = "", logger: Logger,
        status: (@Sendable (SessionCounts) -> MountStatus)? = nil,
        report: (@Sendable (SessionCounts) -> MountReport)? = nil
    ) {
        self.fileSystem = fileSystem
        self.logger = logger
        self.page = page
        self.isSuccessor = isSuccessor
        self.overlaidAt = overlaidAt
        self.isForeign = isForeign
        interrupts = Interrupts(isForeign: isForeign)
        // Lending files to the kernel is for root, so nobody else need ask.
        var wanted: InitAgreement = geteuid() == 0 ? [.passthrough] : []
        if page != nil { wanted.insert(.resend) }
        channel = DeviceChannel(wanted: wanted, page: page, isSuccessor: isSuccessor)
        let passthrough = Passthrough(log: log, logger: logger)
        self.passthrough = passthrough
        let currentCounts: @Sendable () -> SessionCounts = { SessionCounts(page, passthrough, version: version) }
        self.currentCounts = currentCounts
        control = ControlServer(
            fileSystem: fileSystem, processes: { currentCounts().processes },
            status: status.map { status in { @Sendable in status(currentCounts()) } },
            report: report.map { report in { @Sendable in report(currentCounts()) } })
        notifier = KernelNotifier(logger: logger)
        fileSystem.attach(notifier)
    }

    /// Takes in what a process that is gone has left in the log, so that this one answers the kernel's requests as that one
    /// would have. To be called before `run`, once; fails where not all of it is there. A log without records is fine.
    public func restore() throws(StateLogError) {
        try fileSystem.restore()
        try passthrough.restore(fileSystem.openFiles) { fileSystem.completeFile($0) }
    }

    static func of(_ request: fuse_req_t) -> FuseSession {
        of(fuse_req_userdata(request))
    }

    static func of(_ userdata: UnsafeMutableRawPointer) -> FuseSession {
        Unmanaged.fromOpaque(userdata).takeUnretainedValue()
    }

    /// The current counters of the session.
    public var counts: SessionCounts { currentCounts() }

    /// Settles with the kernel what the conversation is like (FUSE_INIT).
    func begin(_ connection: inout fuse_conn_info) {
        connection.max_read = UInt32(FuseSession.readByteCountLimit)
        connection.max_readahead = UInt32(FuseSession.readByteCountLimit)
        connection.max_background = FuseSession.backgroundRequestCount
        // Every entry comes with its attributes at no cost, so the kernel shall always ask for both; and replies are
        // copied, because splicing them was measured to be 2.7 times slower (DESIGN.md).
        connection.want |= connection.capable & UInt32(FUSE_CAP_READDIRPLUS)
        connection.want &= ~UInt32(FUSE_CAP_READDIRPLUS_AUTO)
        connection.want &= ~UInt32(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE)
        // Attributes never change under an inode, so there is nothing to drop pages for.
        connection.want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
        beginNotifying(protocolMinor: Int(connection.proto_minor))
        defer { noteBegun() }
        logger.debug(
            "the kernel has opened the conversation",
            metadata: [
                "protocol": "\(connection.proto_major).\(connection.proto_minor)",
                "passthrough": "\(channel.willAskForPassthrough)",
            ])
    }

    /// Has `body` called on a thread of its own when the kernel has opened the conversation. To be called before `run`, once.
    public func whenBegun(_ body: @escaping @Sendable () -> Void) {
        state.withLock { $0.didBegin = body }
    }

    private func noteBegun() {
        let didBegin = state.withLock { state in
            defer { state.didBegin = nil }
            return state.didBegin
        }
        if let didBegin { DetachedThread.start(didBegin) }
    }

    /// Checks permissions, where the kernel may not.
    func checkAccess(_ kind: AccessKind, to id: InodeID, by request: fuse_req_t) throws(Errno) {
        if isForeign { try fileSystem.checkAccess(kind, to: id) { FileSystem.Requester(of: request) } }
    }

    /// The longest time that the kernel may keep a name, in seconds. A kept name is found by every user, so there are none where
    /// only this process checks who may go through a folder.
    var nameTimeoutLimit: Double {
        isForeign && !fileSystem.letsAllThrough ? 0 : KernelTimeout.unlimited
    }

    /// How long the kernel may keep in mind that a name is absent, in seconds: where it can't be told otherwise, no longer
    /// than somebody who has refreshed a folder may want to wait.
    var absenceTimeoutLimit: Double {
        min(nameTimeoutLimit, mayDistrustAbsences.load(ordering: .relaxed) ? KernelTimeout.unlimited : 60)
    }

    /// The mounted /dev/fuse, while the session runs.
    var device: FuseDevice? {
        state.withLock { $0.running?.device }
    }

    private func beginNotifying(protocolMinor: Int) {
        let mayDistrust = overlaidAt == nil && KernelMessenger.distrustsAbsences(protocolMinor: protocolMinor)
        mayDistrustAbsences.store(mayDistrust, ordering: .relaxed)
        guard let device else { return }
        let overlay = overlaidAt.map {
            OverlaidNames(overlaidAt: $0, device: FileDescriptor(rawValue: device.descriptor))
        }
        notifier.begin(on: device, protocolMinor: protocolMinor, overlay: overlay)
    }

    /// Why a session can't run, or stopped.
    public struct SetupError: Error, CustomStringConvertible {
        /// One sentence for a person.
        public let description: String
    }

    /// Serves requests from `device`, an open and mounted /dev/fuse, until the mount ends or `end` is called. All replies
    /// must have been sent when `drain` returns, which is called when no request comes any more.
    ///
    /// - Parameter didTakeOver: Called by a successor when all that its predecessor owed is about to come.
    public func run(
        on device: consuming MountedDevice, didTakeOver: () -> Void = {}, drain: () -> Void
    ) throws(SetupError) {
        // libfuse refuses a max_read in FUSE_INIT that differs from the one among its mount options.
        let options = "max_read=\(FuseSession.readByteCountLimit)"
        guard let session = tractfs_session_new(options, Unmanaged.passUnretained(self).toOpaque()) else {
            throw SetupError(description: "libfuse can't start a session")
        }
        defer { fuse_session_destroy(session) }
        let descriptor = device.release()
        guard tractfs_session_attach(session, descriptor) == 0 else {
            close(descriptor)
            throw SetupError(description: "libfuse doesn't take the /dev/fuse descriptor")
        }
        prepareForWakeSignal()
        interrupts.begin()
        defer { interrupts.end() }
        let kernel = FuseDevice(descriptor: descriptor)
        let running = Running(session: UInt(bitPattern: session), thread: pthread_self(), device: kernel)
        let result = try serve(running, session, didTakeOver)
        notifier.beginEnd()
        drain()
        // What the kernel is being told may wait for a request that nobody serves any more; and closing the device, which
        // would end them all, waits for what it is being told. Where there is a next server, that one answers it.
        if isHandedOver { return }
        kernel.refuseRequests { notifier.isBusy }
        notifier.finishEnd()
        guard result >= 0 else { throw SetupError(description: "libfuse gave up: \(Errno(rawValue: -result))") }
    }

    /// Runs until the mount ends, unless somebody has ended it before. Returns libfuse's result: less than 0 for an error.
    private func serve(
        _ running: Running, _ session: OpaquePointer, _ didTakeOver: () -> Void
    ) throws(SetupError) -> CInt {
        defer { state.withLock { $0.running = nil } }
        let mayRun = state.withLock { state in
            state.running = running
            return !state.isEnding
        }
        guard mayRun else { return 0 }
        if isSuccessor {
            try takeOver(session, running.device)
            didTakeOver()
        }
        return loop(session)
    }

    /// Opens the conversation once more, with libfuse alone, and has the kernel hand out again what the server before has taken
    /// and not answered. Nobody else takes requests yet, so none of ours is handed out twice.
    private func takeOver(_ session: OpaquePointer, _ kernel: FuseDevice) throws(SetupError) {
        guard tractfs_session_serve_one(session) > 0 else {
            throw SetupError(description: "libfuse doesn't take the conversation that an earlier server has opened")
        }
        do throws(Errno) {
            try kernel.notify(.resend)
        } catch {
            throw SetupError(description: "the kernel doesn't hand out a dead server's requests: \(error)")
        }
    }

    private func loop(_ session: OpaquePointer) -> CInt {
        let configuration = fuse_loop_cfg_create()
        defer { fuse_loop_cfg_destroy(configuration) }
        fuse_loop_cfg_set_max_threads(configuration, FuseSession.threadCountLimit)
        fuse_loop_cfg_set_idle_threads(configuration, FuseSession.threadCountLimit)
        return fuse_session_loop_mt(session, configuration)
    }

    /// Installs a handler that does nothing, so that the signal interrupts a wait and is not deadly; and lets it through,
    /// since this process may have been started with all signals blocked.
    private func prepareForWakeSignal() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(FuseSession.wakeSignal, &action, nil)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, FuseSession.wakeSignal)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Makes `run` return, and leaves all that isn't answered yet to the next server.
    public func handOver() {
        channel.handOver()
        end()
    }

    private var isHandedOver: Bool { channel.isHandedOver }

    /// Makes `run` return. May be called from any thread, at any time, more than once.
    public func end() {
        state.withLock { $0.isEnding = true }
        // libfuse's loop looks at its exit flag when its wait is interrupted. A signal that comes just before the wait
        // begins would be lost: hence again, until the loop has ended.
        while wakeLoop() { usleep(10_000) }
    }

    /// Tells the loop to exit; `false` where none runs.
    private func wakeLoop() -> Bool {
        state.withLock { state in
            guard let running = state.running else { return false }
            fuse_session_exit(OpaquePointer(bitPattern: running.session))
            pthread_kill(running.thread, FuseSession.wakeSignal)
            return true
        }
    }
}
