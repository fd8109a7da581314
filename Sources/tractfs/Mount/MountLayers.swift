import BlockCache
import CommandOutput
import FileSystem
import FuseBridge
import Glibc
import Logging
import Namespace
import ObjectStore
import Reader
import Reporting
import S3Client
import Settings
import SQLiteArchive
import StateLog
import Supervision
import SystemPackage
import SystemSupport

/// The layers of one mount.
struct MountLayers {
    let client: S3Client
    let namespace: Namespace
    let session: FuseSession
    let logger: Logger
    private let credentials: CredentialsSession?
    private let disk: DiskCache?
    private let archive: SQLiteArchive?
    private let recorder = HistoryRecorder()
    private let recorderThread: WorkerThread

    /// The time without reads after which parts of files are fetched again for the disk: longer than a program pauses
    /// between two reads of a stream.
    private static let refetchDelay: Duration = .seconds(1)

    /// Creates the layers of the mount with these settings.
    ///
    /// - Parameters:
    ///   - resolved: The first credentials; `nil` if they are found later.
    ///   - overlay: The mount point and the upper folder of the overlay; `nil` if there is none.
    init(
        _ settings: MountSettings, _ context: ChildContext, credentials resolved: ResolvedCredentials?,
        overlay: (mountPoint: String, upper: String)?, logger: Logger
    ) throws {
        let isSuccessor = context.role == .successor
        self.logger = logger
        credentials = settings.credentials.map { CredentialsSession($0, resolved, logger: logger) }
        let sharedState = try context.sharedState.map { try SupervisorSharedState(inheriting: $0) }
        client = S3Client(
            configuration: settings.configuration, credentials: credentials, logger: logger,
            didReceive: { sharedState?.noteReceived() })
        let blocks = try BlockCache(byteLimit: settings.memory.blockByteLimit)
        let disk = try settings.cache?.open(for: settings.configuration, blocks: blocks, logger: logger)
        self.disk = disk
        archive = disk.flatMap { disk in
            settings.cache?.openArchive(
                in: disk, for: settings.configuration, memory: settings.memory, logger: logger)
        }
        let log = try MountLayers.log(context, logger: logger)
        namespace = Namespace(
            store: client, root: settings.root, timeToLive: settings.timeToLive, requestTimeout: settings.readTimeout,
            metadataByteLimit: settings.memory.metadataByteLimit, archive: archive, log: log, logger: logger)
        let limits = ReaderLimits(
            readTimeout: settings.readTimeout,
            refetchDelay: settings.cache?.isRefetching == true ? MountLayers.refetchDelay : nil)
        let reader = Reader(store: client, cache: blocks, disk: disk, limits: limits)
        let fileSystem = FileSystem(
            namespace: namespace, reader: reader, options: FileSystem.Options(settings, urls: client), log: log,
            logger: logger)
        let status = StatusCollector(
            uri: settings.uri.description, overlay: overlay?.upper, memoryByteLimit: settings.memory.byteLimit,
            connectionLimit: settings.configuration.connectionLimit, client: client, credentials: credentials,
            fileSystem: fileSystem, namespace: namespace, reader: reader, blocks: blocks, disk: disk)
        let report = ReportCollector(
            status: status, settings: settings.report, recorder: recorder, root: settings.root)
        var configuration = FuseSession.Configuration()
        configuration.log = log
        configuration.page = sharedState
        configuration.isSuccessor = isSuccessor
        configuration.overlaidAt = overlay?.mountPoint
        configuration.isForeign = settings.handedDevice != nil
        configuration.version = Tractfs.version
        configuration.status = { status.status($0) }
        configuration.report = { report.report($0) }
        let session = FuseSession(fileSystem: fileSystem, configuration: configuration, logger: logger)
        self.session = session
        recorderThread = recorder.start { status.sample(session.counts) }
    }

    /// A description of the credentials and their source; `nil` for unsigned requests.
    var credentialsSource: String? {
        credentials.map { "\($0.resolved.credentials) from \($0.resolved.source)" }
    }

    /// Completes all requests, with an error if need be. Call this after the last request.
    func drain() {
        client.shutdown()
        // The threads of the cache send replies too, which they must not do after the end of libfuse's session.
        disk?.shutdown()
    }

    /// Ends all threads.
    func shutdown() {
        recorder.end()
        recorderThread.join()
        archive?.shutdown()
        disk?.shutdown()
        client.shutdown()
        credentials?.shutdown()
    }

    private static func log(_ context: ChildContext, logger: Logger) throws(StateLogError) -> StateLog? {
        if context.stateLog.isEmpty { return nil }
        let byteCount = TestOverrides(environment: Environment.variables()).stateLogByteCount
        return try StateLog(
            inheriting: context.stateLog, rewriteByteCountMin: byteCount ?? StateLog.rewriteByteCountMin,
            logger: logger)
    }
}

extension FileSystem.Options {
    fileprivate init(_ settings: MountSettings, urls: any ObjectURLSource) {
        self.init(
            bucket: settings.uri.bucket, ownership: settings.ownership,
            mountTime: Timestamp(seconds: Timestamp.now.seconds),
            hasExtendedAttributes: settings.hasExtendedAttributes)
        hasShortInodeNumbers = settings.inodeBits == .thirtyTwo
        hasPresignedURLAttribute = settings.hasPresignedURLAttribute
        self.urls = urls
    }
}
