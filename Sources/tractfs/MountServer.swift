import BlockCache
import FileSystem
import FuseBridge
import Glibc
import Logging
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

    init(
        _ settings: MountSettings, _ destination: LogDestination, isInBackground: Bool, _ inheritance: Inheritance
    ) throws {
        guard let supervisor = inheritance.supervisor else { throw Failure("a serving process needs a supervisor") }
        self.settings = settings
        self.destination = destination
        self.isInBackground = isInBackground
        self.inheritance = inheritance
        self.supervisor = supervisor
    }

    /// Mounts, and serves until the mount ends.
    ///
    /// - Throws: Why it doesn't.
    func mount() throws {
        try destination.check()
        let mountPoint = try MountPoint(checking: settings.mountPoint)
        try settings.cache?.checkIsOutside(mountPoint: mountPoint.path)
        destination.takeOverStandardError()
        let ending = Ending(logger: try destination.begin())
        for source in mountPoint.cleared {
            ending.logger.notice("cleared \(source) from \(mountPoint.path): the process that had mounted it is gone")
        }
        try serve(ending) { layers in
            // Where an earlier mount has listed the root, and that still holds, this one needs no network to begin.
            if !layers.namespace.isRootKnown { try checkRoot(layers) }
            let device = try MountedDevice.mount(
                at: mountPoint,
                MountedDevice.Options(source: settings.uri.description, allowsOthers: settings.allowsOthers))
            let place = MountPlace(mountedOn: mountPoint)
            ending.noteMounted(place)
            guard ServerReport.mounted(place).send(device.shared, over: supervisor) else { throw Self.orphaned }
            DetachedThread.start { [self] in
                // Asked as anybody would ask it, so that the answer is what everybody gets.
                if Supervision.of(mountAt: place.path)?.server != getpid() { return }
                becomeReady(at: place, credentialsSource: layers.credentialsSource, ending)
            }
            return device
        }
    }

    /// Serves what an earlier server has mounted, until the mount ends. It is not looked at, and nothing is asked of the
    /// network: there may be none for a while, and the mount answers all the same.
    func takeOver() throws {
        guard inheritance.place != nil, let device = inheritance.device else {
            throw Failure("there is nothing to take over")
        }
        // The command may have been typed in the folder that is the mount by now.
        chdir("/")
        destination.takeOverStandardError()
        let ending = Ending(logger: try destination.begin())
        try serve(ending) { _ in
            MountedDevice(inheriting: device)
        }
    }

    private func serve(_ ending: Ending, _ device: (MountLayers) throws -> MountedDevice) throws {
        EndingSignals.handle(
            end: { ending.begin() }, reopen: destination.reopening { ending.logger.warning("\($0)") },
            handOver: { ending.handOver() })
        OpenFileLimit.raise()
        let layers = try MountLayers(settings, inheritance, logger: ending.logger)
        defer { layers.shutdown() }
        // Before there is a mount, so that no signal can come between the two.
        ending.attach(layers.session)
        defer { ending.detachIfMounted() }
        // Also before there is something to take over: only what has an owner is written anew as the log grows.
        try layers.session.restore()
        let device = try device(layers)
        try layers.session.run(on: device) {
            // Before, it is the next one's: who can't take it over leaves it where it is.
            if let place = inheritance.place { ending.noteMounted(place) }
            ServerReport.tookOver.send(over: supervisor)
            if isInBackground { letGo() }
        } drain: {
            layers.drain()
        }
        if ending.isHandedOver { layers.shutdown(); exit(HandOver.exitStatus) }
        layers.logger.info("ended", metadata: ["mount": "\(ending.place?.path ?? settings.mountPoint)"])
    }

    private func checkRoot(_ layers: MountLayers) throws {
        let root = try RootCheck(
            store: layers.client, uri: settings.uri, credentialsSource: layers.credentialsSource
        ).run()
        layers.namespace.absorb(root.page, of: root.request, askedAt: root.askedAt)
    }

    /// The mount answers: whoever waits is told, and the terminal is let go.
    private func becomeReady(at place: MountPlace, credentialsSource: String?, _ ending: Ending) {
        let isReadAheadRaised = ReadAhead.raise(forMountAt: place.path)
        ending.logger.info(
            "mounted \(settings.uri) on \(place.path)",
            metadata: [
                "credentials": "\(credentialsSource ?? "none, requests are not signed")",
                "read-ahead raised": "\(isReadAheadRaised)",
                "version": "\(Tractfs.version)",
            ])
        if geteuid() == 0, !settings.allowsOthers {
            ending.logger.notice("only root can use the mount; --allow-other lets all users")
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
