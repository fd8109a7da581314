import BlockCache
import CommandOutput
import Diagnostics
import FileSystem
import FuseBridge
import Glibc
import Logging
import MountControl
import Mounting
import Namespace
import ObjectStore
import Reader
import S3Client
import SQLiteArchive
import Settings
import StateLog
import Supervision
import SystemPackage
import SystemSupport

/// The process that serves a mount, from the checks before it to its end. A `Supervisor` starts it, either to mount, or
/// to take over the mount of an earlier server.
struct MountServer {
    let settings: MountSettings
    let destination: LogDestination
    /// `true` unless the mount runs in the foreground.
    let isInBackground: Bool
    private let context: ChildContext
    /// The socket to the supervisor.
    private let supervisor: FileDescriptor
    /// The overlay's folder; `nil` for a mount without an overlay.
    private let overlay: OverlayFolder?

    init(
        _ settings: MountSettings, _ destination: LogDestination, isInBackground: Bool, _ context: ChildContext
    ) throws {
        guard let supervisor = context.supervisor else { throw Failure("a serving process needs a supervisor") }
        self.settings = settings
        self.destination = destination
        self.isInBackground = isInBackground
        self.context = context
        self.supervisor = supervisor
        overlay = context.overlay.map { OverlayFolder(inheriting: $0, givenAs: settings.overlay ?? "") }
    }

    /// Mounts, and serves until the mount ends.
    ///
    /// - Throws: The reason that there is no mount, or that it ended.
    func mount() throws {
        try destination.check()
        if settings.handedDevice != nil { return try serveHandedDevice() }
        let dead = try overlay?.clearAbandoned() ?? []
        let mountPoint = try MountPoint(checking: settings.mountPoint)
        try settings.cache?.checkIsOutside(mountPoint: mountPoint.path)
        try overlay?.checkBelongs(to: settings.bucketName)
        destination.redirectStandardError()
        let shutdown = Shutdown(logger: destination.begin())
        for mount in dead + mountPoint.cleared.map({ "\($0) from \(mountPoint.path)" }) {
            shutdown.logger.notice("cleared \(mount): the process that had mounted it is gone")
        }
        try serveNew(shutdown, at: mountPoint.path) { layers in
            let device = try mountDevice(at: mountPoint)
            let mount = MountIdentity(mountedOn: mountPoint, overlay: overlay)
            shutdown.noteMounted(mount)
            guard ServerReport.mounted(mount).send(device.shared, over: supervisor) else { throw Self.orphaned }
            DetachedThread.start { [self] in
                // Sends a request as any other process would, so that the mount is ready only if it answers those.
                if MountProcesses.of(mountAt: mount.path)?.server != getpid() { return }
                becomeReady(mount, credentialsSource: layers.credentialsSource, shutdown)
            }
            return device
        }
    }

    /// Serves the mount of another program until it ends.
    private func serveHandedDevice() throws {
        guard let device = context.device else { throw Failure("the mounted /dev/fuse was not handed on") }
        destination.redirectStandardError()
        let shutdown = Shutdown(logger: destination.begin())
        let mount = MountIdentity(handedAs: settings.mountPoint, device)
        try serveNew(shutdown, at: mount.path) { layers in
            shutdown.noteMounted(mount)
            guard ServerReport.mounted(mount).send(device, over: supervisor) else { throw Self.orphaned }
            // The mount may not be visible to this process, so FUSE_INIT has to do in place of a request.
            let source = layers.credentialsSource
            layers.session.whenBegun { becomeReady(mount, credentialsSource: source, shutdown) }
            return MountedDevice(inheriting: device)
        }
    }

    /// Serves a new mount, after credentials were found and the store has listed the root. Waits for the network for as
    /// long as `--retry` allows.
    ///
    /// - Parameter device: Makes the mount.
    private func serveNew(
        _ shutdown: Shutdown, at path: String, device: (MountLayers) throws -> MountedDevice
    ) throws {
        let retry = MountRetry(limit: settings.retry)
        var isReported = false
        let wait = { (reason: String) throws in
            if !isReported { shutdown.logger.notice("waiting for the network: \(reason)") }
            // Repeats the report before each attempt, so that the supervisor checks that the command still runs.
            guard ServerReport.waiting(isReported ? "" : reason).send(over: supervisor) else { throw Self.orphaned }
            isReported = true
        }
        try serve(shutdown, at: path) {
            try retry.run({ try settings.credentials?.resolve() }, wait: wait)
        } prepare: { layers in
            // With a root listing of an earlier mount that is still valid, no network is needed yet.
            if layers.namespace.isRootKnown { return }
            try retry.run({ try checkRoot(layers, timeLimit: retry.rootLimit) }, wait: wait)
        } device: { layers in
            try device(layers)
        }
    }

    /// Mounts, after the overlay's folder is prepared.
    private func mountDevice(at mountPoint: MountPoint) throws(MountError) -> MountedDevice {
        do throws(MountError) {
            try overlay?.prepare(
                for: settings.bucketName, settings.overlayOwner, folderTime: FileAttributes.directoryTime.seconds)
            var options = MountedDevice.Options(
                source: settings.uri.description, allowsOthers: settings.allowsOthers,
                forbidsExecution: settings.forbidsExecution)
            options.securityContexts = settings.securityContexts
            return try MountedDevice.mount(at: mountPoint, options)
        } catch {
            overlay?.discardIfUnused()
            throw error
        }
    }

    /// Serves the mount of an earlier server until it ends. Sends no request to the mount and none over the network,
    /// which may be down for a while without preventing the takeover.
    func takeOver() throws {
        guard let mount = context.mount, let device = context.device else {
            throw Failure("there is nothing to take over")
        }
        // The working directory of the command may be covered by the mount.
        chdir("/")
        destination.redirectStandardError()
        let shutdown = Shutdown(logger: destination.begin())
        try serve(shutdown, at: mount.path) {
            // Credentials are found later, since readers wait.
            nil
        } prepare: { _ in
        } device: { _ in
            MountedDevice(inheriting: device)
        }
    }

    /// Makes the layers and serves `device` until the mount ends.
    ///
    /// - Parameters:
    ///   - path: The mount point.
    ///   - credentials: Finds the first credentials; `nil` if they are found later.
    ///   - prepare: Called while a signal still ends the process at once.
    private func serve(
        _ shutdown: Shutdown, at path: String, credentials: () throws -> ResolvedCredentials?,
        prepare: (MountLayers) throws -> Void, device: (MountLayers) throws -> MountedDevice
    ) throws {
        TerminationSignals.handle(
            end: { shutdown.begin() }, reopen: destination.reopening { shutdown.logger.warning("\($0)") },
            handOver: { shutdown.handOver() })
        OpenFileLimit.raise()
        let layers = try MountLayers(
            settings, context, credentials: credentials(), overlay: overlay.map { (path, $0.upper) },
            logger: shutdown.logger)
        defer { layers.shutdown() }
        try prepare(layers)
        // Precedes the mount, so that no signal can leave it behind.
        shutdown.attach(layers.session)
        defer { shutdown.detachIfMounted() }
        // Precedes the takeover, because the log is rewritten only from states that have an owner.
        try layers.session.restore()
        let device = try device(layers)
        try layers.session.run(on: device) {
            // Before the takeover the mount belongs to the next server, so a failure must not detach it.
            if var mount = context.mount {
                mount.overlayUpper = overlay?.upper
                shutdown.noteMounted(mount)
            }
            ServerReport.tookOver.send(over: supervisor)
            if isInBackground { OwnProgram.detachFromTerminal() }
        } drain: {
            layers.drain()
        }
        if shutdown.isHandedOver { layers.shutdown(); exit(ServerProcess.handoverExitStatus) }
        layers.logger.info("ended", metadata: ["mount": "\(shutdown.mount?.path ?? settings.mountPoint)"])
    }

    private func checkRoot(_ layers: MountLayers, timeLimit: Duration) throws {
        let root = try RootCheck(
            store: layers.client, uri: settings.uri, credentialsSource: layers.credentialsSource, timeLimit: timeLimit
        ).run()
        layers.namespace.absorb(root.page, of: root.request, requestedAt: root.askedAt)
    }

    /// Lays the overlay over the mount, if there is one. The mount must answer.
    private func layOverlay(over mount: MountIdentity) throws(MountError) {
        do throws(MountError) {
            try overlay?.lay(
                over: mount.path, source: settings.uri.description, forbidsExecution: settings.forbidsExecution)
        } catch {
            overlay?.discardIfUnused()
            throw error
        }
    }

    /// Completes the start of a mount that answers: lays the overlay, logs and reports the mount, and releases the
    /// terminal.
    private func becomeReady(_ mount: MountIdentity, credentialsSource: String?, _ shutdown: Shutdown) {
        let isReadAheadRaised = ReadAhead.raise(forMountAt: mount.path)
        do throws(MountError) {
            try layOverlay(over: mount)
        } catch {
            ServerReport.failed("\(error)").send(over: supervisor)
            return shutdown.begin()
        }
        shutdown.logger.info(
            "mounted \(settings.uri) on \(mount.path)",
            metadata: [
                "credentials": "\(credentialsSource ?? "none, requests are not signed")",
                "read-ahead raised": "\(isReadAheadRaised)",
                "version": "\(Tractfs.version)",
            ].merging(overlay.map { ["overlay": "\($0.upper)"] } ?? [:]) { $1 })
        if geteuid() == 0, !settings.allowsOthers, settings.handedDevice == nil {
            let owner = settings.ownership.userID
            let users = overlay == nil || owner == 0 ? "" : " and user \(owner)"
            shutdown.logger.notice("only root\(users) can use the mount; --allow-other lets all users")
        }
        if isInBackground { OwnProgram.detachFromTerminal() }
        if !ServerReport.answers.send(over: supervisor) {
            shutdown.logger.error("\(Self.orphaned)")
            shutdown.begin()
        }
    }

    /// The error of a server without a supervisor: the command has failed, and the mount must not stay.
    private static let orphaned = Failure("the supervising process ended before the mount answered")
}
