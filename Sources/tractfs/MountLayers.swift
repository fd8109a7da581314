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
import StateLog
import SystemPackage
import SystemSupport

/// The layers of one mount, put together.
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

    /// - Parameters:
    ///   - resolved: The credentials to begin with; `nil` where they are still to be looked for.
    ///   - overlay: Where the overlay is that lies on the mount, or is going to, and where it keeps what is written.
    init(
        _ settings: MountSettings, _ inheritance: Inheritance, credentials resolved: ResolvedCredentials?,
        overlay: (mountPoint: String, upper: String)?, logger: Logger
    ) throws {
        let isSuccessor = inheritance.role == .successor
        self.logger = logger
        credentials = settings.credentials.map { CredentialsSession($0, resolved, logger: logger) }
        let page = try inheritance.page.map { try SupervisionPage(inheriting: $0) }
        client = S3Client(
            configuration: settings.configuration, credentials: credentials, logger: logger,
            didReceive: { page?.noteReceived() })
        let blocks = try BlockCache(byteLimit: settings.memory.blockByteLimit)
        let disk = try settings.cache?.open(for: settings.configuration, blocks: blocks, logger: logger)
        self.disk = disk
        archive = disk.flatMap { disk in
            settings.cache?.openArchive(
                in: disk, for: settings.configuration, memory: settings.memory, logger: logger)
        }
        let log = try MountLayers.log(inheritance, logger: logger)
        namespace = Namespace(
            store: client, root: settings.root, timeToLive: settings.timeToLive, requestTimeout: settings.readTimeout,
            metadataByteLimit: settings.memory.metadataByteLimit, archive: archive, log: log, logger: logger)
        let reader = Reader(
            store: client, cache: blocks, disk: disk, limits: ReaderLimits(readTimeout: settings.readTimeout))
        let fileSystem = FileSystem(
            namespace: namespace, reader: reader, options: FileSystem.Options(settings, urls: client), log: log,
            logger: logger)
        let status = StatusDocument(
            uri: settings.uri.description, overlay: overlay?.upper, memoryByteLimit: settings.memory.byteLimit,
            connectionLimit: settings.configuration.connectionLimit, client: client, credentials: credentials,
            fileSystem: fileSystem, namespace: namespace, reader: reader, blocks: blocks, disk: disk)
        let report = ReportDocument(
            status: status, settings: settings.report, recorder: recorder, root: settings.root)
        let session = FuseSession(
            fileSystem: fileSystem, log: log, page: page, isSuccessor: isSuccessor, overlaidAt: overlay?.mountPoint,
            isForeign: settings.handedDevice != nil, version: Tractfs.version, logger: logger,
            describe: { status.object($0).description },
            report: { report.object($0).description })
        self.session = session
        recorderThread = recorder.start { status.sample(session.counts) }
    }

    /// Where credentials are from; `nil` for unsigned requests.
    var credentialsSource: String? {
        credentials.map { "\($0.resolved.credentials) from \($0.resolved.source)" }
    }

    /// Has all replies sent, with an error at last: no request comes any more.
    func drain() {
        client.shutdown()
        // The threads of the cache send replies too, and must not do so when libfuse's session is gone.
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

    /// Sets at which size the log of the state is written anew, in bytes; for tests.
    static let logByteCountVariable = "TRACTFS_STATE_LOG_BYTES"

    private static func log(_ inheritance: Inheritance, logger: Logger) throws(StateLogError) -> StateLog? {
        if inheritance.stateLog.isEmpty { return nil }
        let given = getenv(logByteCountVariable).flatMap { Int(String(cString: $0)) }
        return try StateLog(
            inheriting: inheritance.stateLog, rewriteByteCountMin: given ?? StateLog.rewriteByteCountMin, logger: logger
        )
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
