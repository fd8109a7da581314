import SystemSupport
import BlockCache
import FileSystem
import FuseBridge
import Glibc
import Logging
import Namespace
import ObjectStore
import Reader
import S3Client
import SQLiteArchive
import Synchronization

/// The process that serves a mount, from the checks before it to its end. The one place where the layers are put together.
struct MountServer {
    private let settings: MountSettings
    /// Who is told that the mount answers, if somebody waits for that.
    private let report: StartReport?

    init(_ settings: MountSettings, report: StartReport?) {
        self.settings = settings
        self.report = report
    }

    /// Serves until the mount ends. A failure before it answers is reported to whoever waits, and thrown otherwise.
    func run(logging destination: LogDestination) throws {
        // The log may take standard error over, but why there is no mount is for whoever typed the command.
        let terminal = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0)
        do {
            try destination.check()
            let mountPoint = try MountPoint(checking: settings.mountPoint)
            try settings.cache?.checkIsOutside(mountPoint: mountPoint.path)
            destination.takeOverStandardError()
            let logger = try destination.begin()
            try serve(at: mountPoint, logger: logger, destination: destination)
        } catch {
            guard let report else {
                dup2(terminal, STDERR_FILENO)
                throw error
            }
            report.fail("\(error)")
            exit(EXIT_FAILURE)
        }
    }

    private func serve(at mountPoint: MountPoint, logger: Logger, destination: LogDestination) throws {
        let ending = Ending(mountPoint: mountPoint, logger: logger)
        EndingSignals.handle(
            end: { ending.begin() }, reopen: destination.reopening { logger.warning("\($0)") })
        OpenFileLimit.raise()
        let credentials = try settings.credentials.map { CredentialsSession($0, try $0.resolve(), logger: logger) }
        defer { credentials?.shutdown() }
        let client = S3Client(configuration: settings.configuration, credentials: credentials, logger: logger)
        defer { client.shutdown() }
        let source = credentials.map { "\($0.resolved.credentials) from \($0.resolved.source)" }
        let blocks = try BlockCache(byteLimit: settings.memory.blockByteLimit)
        let disk = try settings.cache?.open(for: settings.configuration, blocks: blocks, logger: logger)
        defer { disk?.shutdown() }
        let archive = disk.flatMap { disk in
            settings.cache?.openArchive(
                in: disk, for: settings.configuration, memory: settings.memory, logger: logger)
        }
        defer { archive?.shutdown() }
        let namespace = namespace(on: client, archive: archive, logger: logger)
        // Where an earlier mount has listed the root, and that still holds, this one needs no network to begin.
        if !namespace.isRootKnown {
            let root = try RootCheck(store: client, uri: settings.uri, credentialsSource: source).run()
            namespace.absorb(root.page, of: root.request, askedAt: root.askedAt)
        }
        let session = FuseSession(
            fileSystem: fileSystem(namespace, on: client, blocks: blocks, disk: disk, logger: logger), logger: logger)
        // Before there is a mount, so that no signal can come between the two.
        ending.attach(session)
        defer { ending.detachIfMounted() }
        let device = try MountedDevice.mount(
            at: mountPoint,
            MountedDevice.Options(source: settings.uri.description, allowsOthers: settings.allowsOthers))
        ending.noteMounted()
        DetachedThread.start { [self] in
            // Asked as anybody would ask it, so that the answer is what everybody gets.
            if Unmount.server(of: mountPoint.path) != getpid() { return }
            becomeReady(at: mountPoint, credentialsSource: source, logger: logger)
        }
        try session.run(on: device) {
            client.shutdown()
            // The threads of the cache send replies too, and must not do so when libfuse's session is gone.
            disk?.shutdown()
        }
        logger.info("ended", metadata: ["mount": "\(mountPoint.path)"])
    }

    /// The mount answers: whoever waits is told, and the terminal is let go.
    private func becomeReady(at mountPoint: MountPoint, credentialsSource: String?, logger: Logger) {
        let isReadAheadRaised = ReadAhead.raise(forMountAt: mountPoint.path)
        logger.info(
            "mounted \(settings.uri) on \(mountPoint.path)",
            metadata: [
                "credentials": "\(credentialsSource ?? "none, requests are not signed")",
                "read-ahead raised": "\(isReadAheadRaised)",
                "version": "\(Tractfs.version)",
            ])
        if geteuid() == 0, !settings.allowsOthers {
            logger.notice("only root can use the mount; --allow-other lets all users")
        }
        guard let report else { return }
        // Nothing of the place where the command was typed is held on to.
        chdir("/")
        for descriptor in [STDIN_FILENO, STDOUT_FILENO] {
            let null = open("/dev/null", O_RDWR | O_CLOEXEC)
            dup2(null, descriptor)
            close(null)
        }
        if !report.succeed() { kill(getpid(), SIGTERM) }
    }

    private func namespace(on store: any ObjectStore, archive: SQLiteArchive?, logger: Logger) -> Namespace {
        Namespace(
            store: store, root: settings.root, timeToLive: settings.timeToLive, requestTimeout: settings.readTimeout,
            metadataByteLimit: settings.memory.metadataByteLimit, archive: archive, logger: logger)
    }

    private func fileSystem(
        _ namespace: Namespace, on store: S3Client, blocks: BlockCache, disk: DiskCache?, logger: Logger
    ) -> FileSystem {
        let reader = Reader(
            store: store, cache: blocks, disk: disk, limits: ReaderLimits(readTimeout: settings.readTimeout))
        var options = FileSystem.Options(
            bucket: settings.uri.bucket, ownership: settings.ownership, mountTime: Timestamp(seconds: time(nil)),
            hasExtendedAttributes: settings.hasExtendedAttributes)
        options.hasPresignedURLAttribute = settings.hasPresignedURLAttribute
        options.urls = store
        return FileSystem(namespace: namespace, reader: reader, options: options, logger: logger)
    }
}

/// How a mount ends by a signal: detached first, so that nothing new comes, then the session.
private final class Ending: Sendable {
    private enum State {
        case starting
        case serving(FuseSession)
        case ending
    }

    private let mountPoint: MountPoint
    private let logger: Logger
    private let state = Mutex(State.starting)
    /// The device number of the mount, once it is there.
    private let device = Mutex<String?>(nil)

    init(mountPoint: MountPoint, logger: Logger) {
        self.mountPoint = mountPoint
        self.logger = logger
    }

    /// From now on there is something to be ended in order.
    func attach(_ session: FuseSession) {
        state.withLock { $0 = .serving(session) }
    }

    /// From now on there is a mount of ours.
    func noteMounted() {
        let mounted = mountOnPath()?.device
        device.withLock { $0 = mounted }
    }

    /// Ends the mount. As long as there is nothing to be kept in order, the process ends here and now.
    func begin() {
        let session = state.withLock { state -> FuseSession? in
            switch state {
            case .starting: exit(EXIT_FAILURE)
            case .ending: return nil
            case .serving(let session):
                state = .ending
                return session
            }
        }
        guard let session else { return }
        detachIfMounted()
        session.end()
    }

    /// Sees to it that nothing stays mounted, however the session ended. What is mounted there may be somebody else's by
    /// now: ours may have been detached before, and have lived on for a file that was open.
    func detachIfMounted() {
        guard let ours = device.withLock({ $0 }), mountOnPath()?.device == ours else { return }
        detach()
    }

    private func mountOnPath() -> MountTable.Entry? {
        (try? MountTable())?.mount(at: mountPoint.path)
    }

    private func detach() {
        do {
            try Unmount.detach(mountPoint.path)
        } catch {
            logger.warning("\(error)")
        }
    }
}
