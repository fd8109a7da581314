import Glibc
package import Logging
package import Mounting
import StateLog
import Synchronization
package import SystemPackage
import SystemSupport

/// The process that outlives servers: it holds the mounted /dev/fuse and the state that servers share, and starts
/// another server when one dies.
///
/// It does as little as possible, so that as little as possible can fail. It has three threads: the main thread waits
/// for the server's end and decides about the next one, the second handles signals, and the third detects a hanging
/// server. A mount with an owner has a fourth, which waits for the owner's end.
package final class Supervisor: Sendable {
    /// The complete command line, without the program, with which every server of this mount is started.
    let arguments: [String]
    /// The environment of this process.
    let environment: [String: String]
    /// The folder against which relative paths of the command line are resolved.
    let workingDirectory: String
    /// The version of this program.
    let version: String
    /// The timeout of a read, which limits the time without progress (`Watchdog`).
    let readTimeout: Duration
    let service: ServiceState
    let logger: Logger
    /// The memory and the state log that all servers of this mount share. The log is `nil` if it could not be created.
    let sharedState: SupervisorSharedState
    let stateLog: SupervisedStateLog?
    /// The mount's overlay; `nil` if there is none.
    let overlay: SupervisedOverlay?
    /// The /dev/fuse that another program has mounted, for the first server.
    let handedDevice: FileDescriptor?
    /// The process with which the mount ends; `nil` if there is none.
    let owner: MountOwner?
    /// Locked while a server is started, and while this process executes another program, which would not know that
    /// server.
    let startLock = Mutex(())
    /// The path of this program at its start, and of a newer version.
    let program = OwnProgram.installedPath()
    let state = Monitor(State())

    struct State {
        /// The current server, until its end is noticed.
        var server: ChildProcess?
        /// The socket for its reports, while they are read.
        var reports: FileDescriptor?
        /// The end of the last server, until it is handled.
        var end: ChildProcess.End?
        /// The time at which the server began to serve; `nil` before that.
        var servingSince: ContinuousClock.Instant?
        /// The mount, once it exists.
        var mount: SupervisedMount?
        /// `true` once the mount is to end.
        var isEnding = false
        /// `true` while a server of another version hands over to one of this version.
        var isUpgrading = false
    }

    package init(
        _ arguments: [String], environment: [String: String], workingDirectory: String, version: String,
        readTimeout: Duration, service: ServiceState, overlay: SupervisedOverlay?, handedDevice: FileDescriptor?,
        owner: MountOwner?, inheriting context: ChildContext?, logger: Logger
    ) throws {
        self.arguments = arguments
        self.environment = environment
        self.workingDirectory = context?.workingDirectory ?? workingDirectory
        self.version = version
        self.readTimeout = readTimeout
        self.service = service
        self.overlay = overlay
        self.handedDevice = handedDevice
        self.owner = owner
        self.logger = logger
        if let context, let memory = context.sharedState {
            sharedState = try SupervisorSharedState(inheriting: memory)
            stateLog = context.stateLog.isEmpty ? nil : try SupervisedStateLog(inheriting: context.stateLog)
        } else {
            sharedState = try SupervisorSharedState()
            stateLog = Self.newLog(logger)
        }
    }

    private static func newLog(_ logger: Logger) -> SupervisedStateLog? {
        do {
            return try SupervisedStateLog.create()
        } catch {
            logger.warning("if the serving process dies, no other will be able to take over: \(error)")
            return nil
        }
    }

    /// Returns the context for a new process.
    func context(for role: ProcessRole) -> ChildContext {
        var context = ChildContext(role)
        context.workingDirectory = workingDirectory
        context.sharedState = sharedState.descriptor
        context.stateLog = stateLog?.descriptors ?? []
        context.overlay = overlay?.folder.descriptor
        if role == .upgradedSupervisor {
            context.lowerMountSocket = overlay?.socket
            context.owner = owner?.file
        }
        if let mount = state.look({ $0.mount }) {
            context.device = mount.device
            context.mount = mount.identity
        } else {
            context.device = handedDevice
        }
        return context
    }

    /// Stores the mount, and begins to watch its servers.
    func noteMounted(_ mount: SupervisedMount) {
        var mount = mount
        mount.identity.overlayUpper = overlay?.folder.upper
        state.change { [mount] in $0.mount = mount }
        overlay?.serve(mount.device)
        Watchdog(self, mount).start()
    }

    /// Starts a server, and a thread that waits for its end. The caller must close the reports (`closeReports`).
    func start(_ role: ProcessRole) throws(Errno) -> ServerProcess {
        try startLock.withLock { _ throws(Errno) in
            let server = try ServerProcess(
                OwnProgram.path(), arguments, environment: environment, context(for: role))
            adopt(server.process, reports: server.reports)
            return server
        }
    }

    /// Closes the reports of a server.
    func closeReports(of server: ServerProcess) {
        state.change { state in
            if state.reports == server.reports { state.reports = nil }
            try? server.reports.close()
        }
    }

    /// Makes `server` the current server, and waits for its end on a thread.
    func adopt(_ server: ChildProcess, reports: FileDescriptor? = nil) {
        let isEnding = state.change { state in
            state.server = server
            state.reports = reports
            state.end = nil
            state.servingSince = nil
            return state.isEnding
        }
        // The signal arrived while there was no server.
        if isEnding { signalServer(SIGTERM) }
        DetachedThread.start { [self] in
            let end = server.waitForEnd()
            noteEnd(of: server, end)
        }
    }

    /// Records the end of a server, unless it is no longer the current one.
    func noteEnd(of process: ChildProcess, _ end: ChildProcess.End) {
        state.change { state in
            guard state.server?.id == process.id else { return }
            state.server = nil
            state.end = end
            // Ends the reports even if a thread that hangs in the kernel keeps the other end open.
            if let reports = state.reports { shutdown(reports.rawValue, CInt(SHUT_RDWR)) }
        }
    }

    /// Waits for the end of the server.
    func waitForEnd() -> ChildProcess.End {
        state.wait { state in
            defer { state.end = nil }
            return state.end
        }
    }

    /// Waits until `server` is no longer the current server, or until the timeout.
    ///
    /// - Returns: `false` after the timeout.
    func waitForEnd(of server: Int32, within timeout: Duration) -> Bool {
        state.wait(atMost: timeout) { $0.server?.id != server }
        return state.look { $0.server?.id != server }
    }

    /// Sends a signal to the server.
    func signalServer(_ signal: CInt) {
        state.look { state in
            if let server = state.server { kill(server.id, signal) }
        }
    }

    /// Returns the error for a process that ended without a report.
    static func unexpectedEnd(_ end: ChildProcess.End) -> MountError {
        MountError("the serving process ended before the mount answered (\(end)); tell us, with what it logged")
    }
}

/// A mount, and the supervisor's descriptor of its device.
package struct SupervisedMount: Sendable {
    var identity: MountIdentity
    let device: FileDescriptor

    package init(_ identity: MountIdentity, _ device: FileDescriptor) {
        self.identity = identity
        self.device = device
    }

    /// `true` if the kernel has ended the mount.
    var isGone: Bool { poll() & Int16(POLLERR) != 0 }

    /// `true` if the kernel has requests that no server has taken.
    var hasPending: Bool { poll() & Int16(POLLIN) != 0 }

    private func poll() -> Int16 {
        var polled = pollfd(fd: device.rawValue, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&polled, 1, 0) > 0 ? polled.revents : 0
    }
}
