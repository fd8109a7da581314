import CFuse
package import FileSystem
import Glibc
package import Logging
import MountControl
public import Mounting
import Namespace
public import StateLog
import Synchronization
import SystemSupport
import struct SystemPackage.Errno
import struct SystemPackage.FileDescriptor

/// The connection of a mount to the kernel. Serves requests until the mount ends.
public final class FuseSession: Sendable {
    let fileSystem: FileSystem
    let interrupts: Interrupts
    let channel: DeviceChannel
    let passthrough: Passthrough
    let notificationQueue: NotificationQueue
    /// `true` if the kernel may cache the entries of directories (FOPEN_CACHE_DIR).
    let kernelCopiesDirectories = KernelVersion.running().map(\.copiesDirectoriesWell) ?? false
    private let configuration: Configuration
    private let logger: Logger
    private let state = Mutex(State())
    private let mayInvalidateNegativeEntries = Atomic(true)
    let control: ControlServer
    private let currentCounts: @Sendable () -> SessionCounts

    private struct State {
        /// Called once after FUSE_INIT.
        var didBegin: (@Sendable () -> Void)?
        /// The session and its thread, while `run` serves requests.
        var running: Running?
        var isEnding = false
    }

    /// The pointer is stored as a number so that this type is `Sendable`; `fuse_session_exit` only sets a flag through
    /// it.
    private struct Running {
        let session: UInt
        let thread: pthread_t
        let device: FuseDevice
    }

    /// The maximum number of read-ahead requests that the kernel has in flight. Its default of 12 would hide later
    /// reads from the reader.
    private static let backgroundRequestCount: UInt32 = 64
    /// The maximum number of threads of libfuse. They never block, so a few are enough; more only contend for
    /// /dev/fuse.
    private static let threadCountLimit: UInt32 = 8
    /// The signal that interrupts the wait of the loop. Its handler does nothing.
    private static let wakeSignal = SIGUSR1

    /// Creates a session that serves `fileSystem`.
    package init(fileSystem: FileSystem, configuration: Configuration = Configuration(), logger: Logger) {
        self.fileSystem = fileSystem
        self.configuration = configuration
        self.logger = logger
        interrupts = Interrupts(isForeign: configuration.isForeign)
        // The kernel lets only root register backing files.
        var wanted: InitAgreement = geteuid() == 0 ? [.passthrough] : []
        if configuration.page != nil { wanted.insert(.resend) }
        channel = DeviceChannel(wanted: wanted, page: configuration.page, isSuccessor: configuration.isSuccessor)
        let passthrough = Passthrough(log: configuration.log, logger: logger)
        self.passthrough = passthrough
        let currentCounts: @Sendable () -> SessionCounts = { SessionCounts(configuration, passthrough) }
        self.currentCounts = currentCounts
        control = ControlServer(
            fileSystem: fileSystem, processes: { currentCounts().processes },
            status: configuration.status.map { status in { @Sendable in status(currentCounts()) } },
            report: configuration.report.map { report in { @Sendable in report(currentCounts()) } })
        notificationQueue = NotificationQueue(logger: logger)
        fileSystem.attach(notificationQueue)
    }

    /// The memory that is shared with the supervisor; `nil` without a supervisor.
    var page: SupervisorSharedState? { configuration.page }
    /// `true` if another program made the mount and chose its options.
    var isForeign: Bool { configuration.isForeign }
    /// `true` if the kernel can be made to drop negative entries.
    var canInvalidateNegativeEntries: Bool { mayInvalidateNegativeEntries.load(ordering: .relaxed) }

    /// Restores the state that an earlier process has left in the log, so that this process answers the kernel's
    /// requests in the same way. Must be called once, before `run`. A log without records is valid.
    ///
    /// - Throws: An error if a part of the state is missing.
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

    /// Negotiates the options of the connection with the kernel (FUSE_INIT).
    func begin(_ connection: inout fuse_conn_info) {
        connection.max_read = UInt32(MountedDevice.readByteCountLimit)
        connection.max_readahead = UInt32(MountedDevice.readByteCountLimit)
        connection.max_background = FuseSession.backgroundRequestCount
        // Entries are always listed with their attributes, so the kernel should always use readdirplus. Replies are
        // copied, because splicing was measured to be 2.7 times slower.
        connection.want |= connection.capable & UInt32(FUSE_CAP_READDIRPLUS)
        connection.want &= ~UInt32(FUSE_CAP_READDIRPLUS_AUTO)
        connection.want &= ~UInt32(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE)
        // The attributes of an inode never change, so cached pages never have to be dropped.
        connection.want &= ~UInt32(FUSE_CAP_AUTO_INVAL_DATA)
        beginNotifying(protocolMinor: Int(connection.proto_minor))
        defer { noteBegun() }
        logger.debug(
            "FUSE_INIT",
            metadata: [
                "protocol": "\(connection.proto_major).\(connection.proto_minor)",
                "passthrough": "\(channel.willAskForPassthrough)",
            ])
    }

    /// Calls `body` on a thread of its own after FUSE_INIT. Must be called once, before `run`.
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

    /// Checks permissions if the kernel may not do so itself.
    func checkAccess(_ kind: AccessKind, to id: InodeID, by request: fuse_req_t) throws(Errno) {
        if isForeign { try fileSystem.checkAccess(kind, to: id) { FileSystem.Requester(of: request) } }
    }

    /// The mounted /dev/fuse, while `run` serves requests.
    var device: FuseDevice? {
        state.withLock { $0.running?.device }
    }

    private func beginNotifying(protocolMinor: Int) {
        let overlaidAt = configuration.overlaidAt
        mayInvalidateNegativeEntries.store(
            overlaidAt == nil && KernelInvalidator.canInvalidateNegativeEntries(protocolMinor: protocolMinor),
            ordering: .relaxed)
        guard let device else { return }
        let overlay = overlaidAt.map {
            OverlayDentries(overlaidAt: $0, device: FileDescriptor(rawValue: device.descriptor))
        }
        notificationQueue.begin(on: device, protocolMinor: protocolMinor, overlay: overlay)
    }

    /// The reason why a session cannot start, or why it stopped.
    public struct SetupError: Error, CustomStringConvertible {
        /// The message for the user, one sentence.
        public let description: String
    }

    /// Serves requests from `device`, an open and mounted /dev/fuse, until the mount ends or `end` is called.
    ///
    /// - Parameters:
    ///   - didTakeOver: Called in a successor when the kernel is about to resend the unanswered requests of its
    ///     predecessor.
    ///   - drain: Called after the last request. All replies must have been sent when it returns.
    public func run(
        on device: consuming MountedDevice, didTakeOver: () -> Void = {}, drain: () -> Void
    ) throws(SetupError) {
        // libfuse refuses a max_read in FUSE_INIT that differs from the one among its mount options.
        let options = "max_read=\(MountedDevice.readByteCountLimit)"
        guard let session = tractfs_session_new(options, Unmanaged.passUnretained(self).toOpaque()) else {
            throw SetupError(description: "libfuse cannot start a session")
        }
        defer { fuse_session_destroy(session) }
        let descriptor = device.release()
        guard tractfs_session_attach(session, descriptor) == 0 else {
            close(descriptor)
            throw SetupError(description: "libfuse does not accept the /dev/fuse descriptor")
        }
        prepareForWakeSignal()
        interrupts.begin()
        defer { interrupts.end() }
        let kernel = FuseDevice(descriptor: descriptor)
        let running = Running(session: UInt(bitPattern: session), thread: pthread_self(), device: kernel)
        let result = try serve(running, session, didTakeOver)
        notificationQueue.beginEnd()
        drain()
        // A notification in progress may wait for a request that no thread serves any more. Closing the device would
        // end all requests, but waits for the notification. If another server follows, that one answers the request.
        if isHandedOver { return }
        kernel.refuseRequests { notificationQueue.isBusy }
        notificationQueue.finishEnd()
        guard result >= 0 else { throw SetupError(description: "libfuse gave up: \(Errno(rawValue: -result))") }
    }

    /// Serves requests until the mount ends, unless `end` was called before. Returns the result of libfuse: negative
    /// for an error.
    private func serve(
        _ running: Running, _ session: OpaquePointer, _ didTakeOver: () -> Void
    ) throws(SetupError) -> CInt {
        defer { state.withLock { $0.running = nil } }
        let mayRun = state.withLock { state in
            state.running = running
            return !state.isEnding
        }
        guard mayRun else { return 0 }
        if configuration.isSuccessor {
            try takeOver(session, running.device)
            didTakeOver()
        }
        return loop(session)
    }

    /// Replays FUSE_INIT for libfuse, and makes the kernel resend the requests that the earlier server has read and not
    /// answered. No other thread reads requests yet, so no request of this server is resent.
    private func takeOver(_ session: OpaquePointer, _ kernel: FuseDevice) throws(SetupError) {
        guard tractfs_session_serve_one(session) > 0 else {
            throw SetupError(description: "libfuse does not accept the replayed FUSE_INIT")
        }
        do throws(Errno) {
            try kernel.notify(.resend)
        } catch {
            throw SetupError(description: "the kernel cannot resend the requests of the earlier server: \(error)")
        }
    }

    private func loop(_ session: OpaquePointer) -> CInt {
        let configuration = fuse_loop_cfg_create()
        defer { fuse_loop_cfg_destroy(configuration) }
        fuse_loop_cfg_set_max_threads(configuration, FuseSession.threadCountLimit)
        fuse_loop_cfg_set_idle_threads(configuration, FuseSession.threadCountLimit)
        return fuse_session_loop_mt(session, configuration)
    }

    /// Installs an empty handler, so that the signal interrupts a wait and does not end the process, and unblocks the
    /// signal, since this process may have been started with all signals blocked.
    private func prepareForWakeSignal() {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { _ in }
        sigaction(FuseSession.wakeSignal, &action, nil)
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, FuseSession.wakeSignal)
        pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }

    /// Makes `run` return, and leaves all unanswered requests to the next server.
    public func handOver() {
        channel.handOver()
        end()
    }

    private var isHandedOver: Bool { channel.isHandedOver }

    /// Makes `run` return. May be called from any thread, at any time, more than once.
    public func end() {
        state.withLock { $0.isEnding = true }
        // The loop of libfuse checks its exit flag when its wait is interrupted. A signal just before the wait would be
        // lost, so it is sent again until the loop has ended.
        while wakeLoop() { usleep(10_000) }
    }

    /// Makes the loop exit. Returns `false` if none is running.
    private func wakeLoop() -> Bool {
        state.withLock { state in
            guard let running = state.running else { return false }
            fuse_session_exit(OpaquePointer(bitPattern: running.session))
            pthread_kill(running.thread, FuseSession.wakeSignal)
            return true
        }
    }
}
