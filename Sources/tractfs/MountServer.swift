import BlockCache
import FileSystem
import FuseBridge
import Glibc
import Logging
import MountControl
import Namespace
import Reader
import S3Client
import SQLiteArchive
import StateLog
import SystemPackage
import SystemSupport

/// The process that serves a mount, from the checks before it to its end. The one place where the layers are put together.
///
/// It is started by a `Supervisor`, either to mount, or to take over what another one has mounted.
struct MountServer {
    let settings: MountSettings
    let destination: LogDestination
    /// Whether nobody sits before it.
    let isInBackground: Bool
    private let inheritance: Inheritance
    /// The socket to the supervisor.
    private let supervisor: FileDescriptor
    /// Where what is written is kept, for a mount that is written to.
    private let overlay: OverlayFolder?

    init(
        _ settings: MountSettings, _ destination: LogDestination, isInBackground: Bool, _ inheritance: Inheritance
    ) throws {
        guard let supervisor = inheritance.supervisor else { throw Failure("a serving process needs a supervisor") }
        self.settings = settings
        self.destination = destination
        self.isInBackground = isInBackground
        self.inheritance = inheritance
        self.supervisor = supervisor
        overlay = inheritance.overlay.map { OverlayFolder(inheriting: $0, givenAs: settings.overlay ?? "") }
    }

    /// Mounts, and serves until the mount ends.
    ///
    /// - Throws: Why it doesn't.
    func mount() throws {
        try destination.check()
        if settings.handedDevice != nil { return try serveHandedDevice() }
        let dead = try overlay?.clearAbandoned() ?? []
        let mountPoint = try MountPoint(checking: settings.mountPoint)
        try settings.cache?.checkIsOutside(mountPoint: mountPoint.path)
        try overlay?.checkBelongs(to: settings.bucketName)
        destination.takeOverStandardError()
        let ending = Ending(logger: destination.begin())
        for mount in dead + mountPoint.cleared.map({ "\($0) from \(mountPoint.path)" }) {
            ending.logger.notice("cleared \(mount): the process that had mounted it is gone")
        }
        try serveNew(ending, at: mountPoint.path) { layers in
            let device = try mountDevice(at: mountPoint)
            let place = MountPlace(mountedOn: mountPoint, overlay: overlay)
            ending.noteMounted(place)
            guard ServerReport.mounted(place).send(device.shared, over: supervisor) else { throw Self.orphaned }
            DetachedThread.start { [self] in
                // Asked as anybody would ask it, so that the answer is what everybody gets.
                if MountProcesses.of(mountAt: place.path)?.server != getpid() { return }
                becomeReady(at: place, credentialsSource: layers.credentialsSource, ending)
            }
            return device
        }
    }

    /// Serves what another program has mounted, until the mount ends.
    private func serveHandedDevice() throws {
        guard let device = inheritance.device else { throw Failure("the mounted /dev/fuse was not handed on") }
        destination.takeOverStandardError()
        let ending = Ending(logger: destination.begin())
        let place = MountPlace(handedAs: settings.mountPoint, device)
        try serveNew(ending, at: place.path) { layers in
            ending.noteMounted(place)
            guard ServerReport.mounted(place).send(device, over: supervisor) else { throw Self.orphaned }
            // The mount may be out of this process's sight, so it can't be asked as others would ask it.
            let source = layers.credentialsSource
            layers.session.whenBegun { becomeReady(at: place, credentialsSource: source, ending) }
            return MountedDevice(inheriting: device)
        }
    }

    /// Serves a mount that begins, once there are credentials and the store has listed its root. Waits for the network as long as
    /// `--retry` says.
    ///
    /// - Parameter device: Makes the mount.
    private func serveNew(
        _ ending: Ending, at path: String, device: (MountLayers) throws -> MountedDevice
    ) throws {
        let retry = MountRetry(limit: settings.retry)
        var isTold = false
        let wait = { (reason: String) throws in
            if !isTold { ending.logger.notice("waiting for the network: \(reason)") }
            // Told again each time: so the supervisor looks whether the command still runs.
            guard ServerReport.waiting(isTold ? "" : reason).send(over: supervisor) else { throw Self.orphaned }
            isTold = true
        }
        try serve(ending, at: path) {
            try retry.run({ try settings.credentials?.resolve() }, wait: wait)
        } prepare: { layers in
            // Where an earlier mount has listed the root, and that still holds, this one needs no network to begin.
            if layers.namespace.isRootKnown { return }
            try retry.run({ try checkRoot(layers, timeLimit: retry.rootLimit) }, wait: wait)
        } device: { layers in
            try device(layers)
        }
    }

    /// Mounts, when there is where to keep what is going to be written.
    private func mountDevice(at mountPoint: MountPoint) throws(MountError) -> MountedDevice {
        do throws(MountError) {
            try overlay?.prepare(for: settings.bucketName, settings.overlayOwner)
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

    /// Serves what an earlier server has mounted, until the mount ends. It is not looked at, and nothing is asked of the
    /// network: there may be none for a while, and the mount answers all the same.
    func takeOver() throws {
        guard let place = inheritance.place, let device = inheritance.device else {
            throw Failure("there is nothing to take over")
        }
        // The command may have been typed in the folder that is the mount by now.
        chdir("/")
        destination.takeOverStandardError()
        let ending = Ending(logger: destination.begin())
        try serve(ending, at: place.path) {
            // There is no time to wait for them.
            nil
        } prepare: { _ in
        } device: { _ in
            MountedDevice(inheriting: device)
        }
    }

    /// - Parameters:
    ///   - path: The mount point.
    ///   - credentials: The credentials to begin with, where there are some already.
    ///   - prepare: What comes before there is anything to be ended in order: a signal ends the process at once.
    private func serve(
        _ ending: Ending, at path: String, credentials: () throws -> ResolvedCredentials?,
        prepare: (MountLayers) throws -> Void, device: (MountLayers) throws -> MountedDevice
    ) throws {
        EndingSignals.handle(
            end: { ending.begin() }, reopen: destination.reopening { ending.logger.warning("\($0)") },
            handOver: { ending.handOver() })
        OpenFileLimit.raise()
        let layers = try MountLayers(
            settings, inheritance, credentials: credentials(), overlay: overlay.map { (path, $0.upper) },
            logger: ending.logger)
        defer { layers.shutdown() }
        try prepare(layers)
        // Before there is a mount, so that no signal can come between the two.
        ending.attach(layers.session)
        defer { ending.detachIfMounted() }
        // Also before there is something to take over: only what has an owner is written anew as the log grows.
        try layers.session.restore()
        let device = try device(layers)
        try layers.session.run(on: device) {
            // Before, it is the next one's: who can't take it over leaves it where it is.
            if var place = inheritance.place {
                place.overlayUpper = overlay?.upper
                ending.noteMounted(place)
            }
            ServerReport.tookOver.send(over: supervisor)
            if isInBackground { letGo() }
        } drain: {
            layers.drain()
        }
        if ending.isHandedOver { layers.shutdown(); exit(HandOver.exitStatus) }
        layers.logger.info("ended", metadata: ["mount": "\(ending.place?.path ?? settings.mountPoint)"])
    }

    private func checkRoot(_ layers: MountLayers, timeLimit: Duration) throws {
        let root = try RootCheck(
            store: layers.client, uri: settings.uri, credentialsSource: layers.credentialsSource, timeLimit: timeLimit
        ).run()
        layers.namespace.absorb(root.page, of: root.request, askedAt: root.askedAt)
    }

    /// Lays the overlay over the mount, if it is to have one. The mount must answer.
    private func layOverlay(over place: MountPlace) throws(MountError) {
        do throws(MountError) {
            try overlay?.lay(
                over: place.path, source: settings.uri.description, forbidsExecution: settings.forbidsExecution)
        } catch {
            overlay?.discardIfUnused()
            throw error
        }
    }

    /// The mount answers: whoever waits is told, and the terminal is let go.
    private func becomeReady(at place: MountPlace, credentialsSource: String?, _ ending: Ending) {
        let isReadAheadRaised = ReadAhead.raise(forMountAt: place.path)
        do throws(MountError) {
            try layOverlay(over: place)
        } catch {
            ServerReport.failed("\(error)").send(over: supervisor)
            return ending.begin()
        }
        ending.logger.info(
            "mounted \(settings.uri) on \(place.path)",
            metadata: [
                "credentials": "\(credentialsSource ?? "none, requests are not signed")",
                "read-ahead raised": "\(isReadAheadRaised)",
                "version": "\(Tractfs.version)",
            ].merging(overlay.map { ["overlay": "\($0.upper)"] } ?? [:]) { $1 })
        if geteuid() == 0, !settings.allowsOthers, settings.handedDevice == nil {
            let owner = settings.ownership.userID
            let users = overlay == nil || owner == 0 ? "" : " and user \(owner)"
            ending.logger.notice("only root\(users) can use the mount; --allow-other lets all users")
        }
        if isInBackground { letGo() }
        if !ServerReport.answers.send(over: supervisor) {
            ending.logger.error("\(Self.orphaned)")
            ending.begin()
        }
    }

    /// The command has failed by now, and nobody knows of a mount.
    private static let orphaned = Failure("the supervising process ended before the mount answered")

    /// Nothing of the place where the command was typed is held on to.
    private func letGo() {
        chdir("/")
        StandardStreams.close()
    }
}
