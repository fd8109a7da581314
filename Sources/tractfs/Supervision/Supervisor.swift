import FuseBridge
import Glibc
import Logging
import StateLog
import Synchronization
import SystemPackage
import SystemSupport

/// The process that outlives servers: it keeps the mounted /dev/fuse and what a server must know, and starts another server
/// when one dies.
///
/// It does next to nothing, so that there is next to nothing that can go wrong with it. Three threads: the main one waits for
/// the server's end, and decides what follows; one takes signals and hands them on; one looks whether the server hangs.
final class Supervisor: Sendable {
    /// The complete command line, without the program: what every server of this mount is started with.
    let arguments: [String]
    let destination: LogDestination
    let service: ServiceState
    let logger: Logger
    /// The page and the log that all servers of this mount share; no log where there is no room for one.
    let page: SupervisionPage
    let stateLog: SupervisedStateLog?
    /// The mount's overlay, if it has one.
    let overlay: SupervisedOverlay?
    /// The /dev/fuse that another program has mounted, for the first server.
    let handedDevice: FileDescriptor?
    /// Where relative paths of the command line are relative to.
    let workingDirectory: String
    /// How long a read may take (`Watchdog`).
    let readTimeout: Duration
    /// Held while a server is started, and while this process becomes another program: that would know nothing of the server.
    let startLock = Mutex(())
    /// Where this program was when it was started, and where a newer one will be.
    let program = OwnProgram.installedPath()
    let state = Monitor(State())

    struct State {
        /// The server that there is, until its end has been seen.
        var server: ChildProcess?
        /// Where its reports come from, while somebody listens.
        var reports: FileDescriptor?
        /// How the last server has ended, until that has been seen.
        var end: ChildProcess.End?
        /// Since when the server serves; `nil` while it doesn't.
        var servingSince: ContinuousClock.Instant?
        /// What is mounted, once it is.
        var mount: SupervisedMount?
        /// Whether somebody wants the mount to end.
        var isEnding = false
        /// Whether the server that there is makes room for one of the version that this process is.
        var isUpgrading = false
    }

    init(
        _ arguments: [String], _ destination: LogDestination, _ service: ServiceState, logger: Logger,
        readTimeout: Duration, overlay: SupervisedOverlay?, handedDevice: FileDescriptor?,
        inheriting inheritance: Inheritance?
    ) throws {
        self.arguments = arguments
        self.readTimeout = readTimeout
        self.destination = destination
        self.service = service
        self.overlay = overlay
        self.handedDevice = handedDevice
        self.logger = logger
        workingDirectory = inheritance?.workingDirectory ?? AbsolutePath.of(".")
        if let page = inheritance?.page {
            self.page = try SupervisionPage(inheriting: page)
            stateLog = try inheritance.flatMap { inheritance in
                if inheritance.stateLog.isEmpty { return nil }
                return try SupervisedStateLog(inheriting: inheritance.stateLog)
            }
        } else {
            page = try SupervisionPage()
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

    /// What a server is started with.
    func inheritance(of role: ProcessRole) -> Inheritance {
        var inheritance = Inheritance(role)
        inheritance.workingDirectory = workingDirectory
        inheritance.page = page.descriptor
        inheritance.stateLog = stateLog?.descriptors ?? []
        inheritance.overlay = overlay?.folder.descriptor
        if role == .upgradedSupervisor { inheritance.lowerMountSocket = overlay?.socket }
        if let mount = state.look({ $0.mount }) {
            inheritance.device = mount.device
            inheritance.place = mount.place
        } else {
            inheritance.device = handedDevice
        }
        return inheritance
    }

    /// From now on there is a mount, whose servers must not hang.
    func noteMounted(_ mount: SupervisedMount) {
        var mount = mount
        mount.place.overlayUpper = overlay?.folder.upper
        state.change { [mount] in $0.mount = mount }
        overlay?.give(mount.device)
        Watchdog(self, mount, readTimeout: readTimeout).start()
    }

    /// Starts a server, and a thread that waits for its end. Its reports are the caller's to close (`closeReports`).
    func start(_ role: ProcessRole) throws(Errno) -> ServerProcess {
        try startLock.withLock { _ throws(Errno) in
            let server = try ServerProcess(OwnProgram.path(), arguments, inheriting: inheritance(of: role))
            adopt(server.process, reports: server.reports)
            return server
        }
    }

    /// Nobody listens to a server any more.
    func closeReports(of server: ServerProcess) {
        state.change { state in
            if state.reports == server.reports { state.reports = nil }
            try? server.reports.close()
        }
    }

    /// Has a thread wait for the end of a server.
    func adopt(_ server: ChildProcess, reports: FileDescriptor? = nil) {
        let isEnding = state.change { state in
            state.server = server
            state.reports = reports
            state.end = nil
            state.servingSince = nil
            return state.isEnding
        }
        // The signal came when there was no server to hand it on to.
        if isEnding { signalServer(SIGTERM) }
        DetachedThread.start { [self] in
            let end = server.waitForEnd()
            noteEnd(of: server, end)
        }
    }

    /// A server has ended. Told by who waits for it, or by who sees that there is nothing to wait for.
    func noteEnd(of process: ChildProcess, _ end: ChildProcess.End) {
        state.change { state in
            guard state.server?.id == process.id else { return }
            state.server = nil
            state.end = end
            // Who listens hears of it, also where a thread that hangs in the kernel keeps the other side open.
            if let reports = state.reports { shutdown(reports.rawValue, CInt(SHUT_RDWR)) }
        }
    }

    /// Waits for the server's end.
    func waitForEnd() -> ChildProcess.End {
        state.wait { state in
            defer { state.end = nil }
            return state.end
        }
    }

    /// Sends the server a signal.
    func signalServer(_ signal: CInt) {
        state.look { state in
            if let server = state.server { kill(server.id, signal) }
        }
    }
}

/// A mount whose device the supervisor keeps.
struct SupervisedMount: Sendable {
    var place: MountPlace
    let device: FileDescriptor

    /// Whether the kernel has ended the mount.
    var isGone: Bool { poll() & Int16(POLLERR) != 0 }

    /// Whether there are requests that nobody has taken.
    var hasPending: Bool { poll() & Int16(POLLIN) != 0 }

    private func poll() -> Int16 {
        var polled = pollfd(fd: device.rawValue, events: Int16(POLLIN), revents: 0)
        return Glibc.poll(&polled, 1, 0) > 0 ? polled.revents : 0
    }
}
