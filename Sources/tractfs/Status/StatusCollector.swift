import BlockCache
import FileSystem
import FuseBridge
import Glibc
import MountControl
import Namespace
import ObjectStore
import Reader
import S3Client
import StateLog
import SystemPackage
import SystemSupport

/// Collects the status of a mount from its layers.
struct StatusCollector: Sendable {
    /// The mounted location.
    let uri: String
    /// The folder in which an overlay stores writes; `nil` for a read-only mount.
    let overlay: String?
    /// The memory limit of the mount, in bytes.
    let memoryByteLimit: Int
    let connectionLimit: Int
    let client: S3Client
    let credentials: CredentialsSession?
    let fileSystem: FileSystem
    let namespace: Namespace
    let reader: Reader
    let blocks: BlockCache
    let disk: DiskCache?
    /// The start of the counts, by the wall clock and by a monotonic clock.
    let start = Timestamp(seconds: time(nil))
    let startInstant = ContinuousClock.now

    /// Returns the current status.
    func status(_ session: SessionCounts) -> MountStatus {
        let (server, processes) = (client.endpoint, session.processes)
        var status = MountStatus()
        status.uri = uri
        status.endpoint = server.server
        status.region = server.region
        status.version = processes.version
        status.mountedAt = fileSystem.mountTime.utcText
        status.since = start.utcText
        status.sinceSeconds = (ContinuousClock.now - startInstant).roundedSeconds
        status.serverPid = Int(processes.server)
        status.supervisorPid = processes.supervisor.map { Int($0) }
        status.generation = session.generation
        status.credentials = credentialsStatus
        status.requests = requests
        status.reads = reads
        status.passthrough.usable = session.isPassthroughUsable
        status.passthrough.files = session.backingFileCount
        status.passthrough.opens = session.passthroughOpenCount
        status.names = names
        status.open.files = fileSystem.openFileCount
        status.open.folders = fileSystem.openDirectoryCount
        status.kernel = session.conversation.map { StatusCollector.kernel($0) }
        status.memory = memory
        status.diskCache = disk.map { diskCache($0) }
        status.overlay = overlay
        return status
    }

    private var credentialsStatus: MountStatus.Credentials? {
        guard let credentials else { return nil }
        let resolved = credentials.resolved
        var status = MountStatus.Credentials()
        status.source = resolved.source
        status.expiresAt = resolved.expiry?.utcText
        status.usable = credentials.isUsable
        return status
    }

    // MARK: Requests

    private var requests: MountStatus.Requests {
        let counts = client.counts
        var requests = MountStatus.Requests()
        requests.get = StatusCollector.kind(counts.gets)
        requests.list = StatusCollector.kind(counts.lists)
        requests.inFlight = counts.activeCount
        requests.waiting = counts.waitingCount
        requests.inFlightLimit = counts.activeCountMax
        requests.connectionLimit = connectionLimit
        return requests
    }

    private static func kind(_ counts: RequestCounts) -> MountStatus.Kind {
        let errors = counts.errorCounts.map { (name: $0.key.rawValue, value: $0.value) }
        var kind = MountStatus.Kind()
        kind.requests = counts.requestCount
        kind.retries = counts.retryCount
        kind.hedges = counts.hedgeCount
        kind.unsent = counts.unsentCount
        kind.sent = counts.sentCount
        kind.failed = counts.failureCount
        kind.cancelled = counts.cancelCount
        kind.errors = NamedValues(errors.sorted { $0.name < $1.name })
        kind.receivedBytes = counts.receivedByteCount
        kind.timeToFirstByte = latency(counts.latency)
        return kind
    }

    private static func latency(_ distribution: LatencyDistribution) -> MountStatus.Latency {
        var latency = MountStatus.Latency()
        latency.count = distribution.count
        latency.sumSeconds = distribution.sum.roundedSeconds
        latency.p50Seconds = distribution.percentile(50)?.roundedSeconds
        latency.p90Seconds = distribution.percentile(90)?.roundedSeconds
        latency.p99Seconds = distribution.percentile(99)?.roundedSeconds
        latency.maxSeconds = distribution.percentile(100)?.roundedSeconds
        return latency
    }

    // MARK: Reads and caches

    private var reads: MountStatus.Reads {
        let counts = reader.counts
        var reads = MountStatus.Reads()
        reads.reads = counts.readCount
        reads.waited = counts.waitCount
        reads.failed = counts.failureCount
        reads.s3Bytes = counts.storeByteCount
        reads.diskCacheBytes = counts.diskByteCount
        reads.memoryCacheBytes = counts.memoryByteCount
        return reads
    }

    private var names: MountStatus.Names {
        let counts = namespace.counts
        var names = MountStatus.Names()
        names.lookups = counts.lookupCount
        names.lookupsWaited = counts.lookupMissCount
        names.archivedListings = counts.archivedListingCount
        names.folders = counts.listingCount
        names.inodes = counts.inodeCount
        names.badEntries = badEntries
        return names
    }

    private var badEntries: NamedValues<Int> {
        let counts = client.listFlaws.counts
        return NamedValues(
            ListFlaws.Kind.allCases.compactMap { kind in counts[kind].map { (name: kind.rawValue, value: $0) } })
    }

    private static func kernel(_ conversation: ConversationCount) -> MountStatus.Kernel {
        var kernel = MountStatus.Kernel()
        kernel.requests = Int(clamping: conversation.taken)
        kernel.answers = Int(clamping: conversation.answered)
        return kernel
    }

    private var memory: MountStatus.Memory {
        let names = namespace.counts
        var memory = MountStatus.Memory()
        memory.limitBytes = memoryByteLimit
        memory.processBytes = try? ProcessMemory.residentByteCount()
        memory.blockLimitBytes = blocks.byteLimit
        memory.blockBytes = blocks.residentByteCount
        memory.blockInFlightBytes = blocks.inFlightBlockCount * Block.byteCount
        memory.readsWaiting = blocks.waitingReadCount
        memory.metadataLimitBytes = names.byteLimit
        memory.metadataBytes = names.byteCount
        return memory
    }

    private func diskCache(_ disk: DiskCache) -> MountStatus.DiskCache {
        let holes = reader.holeCounts
        var cache = MountStatus.DiskCache()
        cache.directory = disk.path.string
        cache.limitBytes = disk.byteLimit
        cache.usedBytes = disk.usedByteCount
        cache.storing = disk.isStoring
        cache.damaged = disk.damageCount
        cache.skippedBytes = holes.skippedByteCount
        cache.storedLaterBytes = holes.storedLaterByteCount
        return cache
    }
}

extension Duration {
    /// The duration in seconds, rounded to microseconds.
    fileprivate var roundedSeconds: Double { (self / .microseconds(1)).rounded() / 1_000_000 }
}
