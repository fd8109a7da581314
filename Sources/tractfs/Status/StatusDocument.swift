import BlockCache
import FileSystem
import FuseBridge
import Glibc
import Namespace
import ObjectStore
import Reader
import S3Client
import SystemPackage
import SystemSupport

/// The status of a serving process and its mount, as a JSON object for `tractfs status`. docs/STATUS.md defines the
/// members; `MountStatus` decodes it.
struct StatusDocument: Sendable {
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
    let start = Timestamp.now
    let startInstant = ContinuousClock.now

    /// Returns the whole status as of now.
    func object(_ session: SessionCounts) -> JSONObject {
        let place = client.place
        return [
            "uri": .string(uri), "endpoint": .string(place.server),
            "region": .string(place.region), "version": .string(session.supervision.version),
            "mounted_at": .string(fileSystem.mountTime.utcText), "since": .string(start.utcText),
            "since_seconds": .seconds(ContinuousClock.now - startInstant),
            "server_pid": .number(Int(session.supervision.server)),
            "supervisor_pid": session.supervision.supervisor.map { .number(Int($0)) } ?? .null,
            "generation": .number(session.generation), "credentials": credentialsValue,
            "requests": .object(requests), "reads": .object(reads),
            "passthrough": [
                "usable": .bool(session.canLendFiles), "files": .number(session.lentFileCount),
                "opens": .number(session.lentOpenCount),
            ],
            "names": .object(names),
            "open": [
                "files": .number(fileSystem.openFileCount), "folders": .number(fileSystem.openDirectoryCount),
            ],
            "kernel": StatusDocument.kernel(session.conversation), "memory": .object(memory),
            "disk_cache": diskCache, "overlay": overlay.map { .string($0) } ?? .null,
        ]
    }

    private var credentialsValue: JSONObject.Value {
        guard let credentials else { return .null }
        let resolved = credentials.resolved
        return [
            "source": .string(resolved.source), "expires_at": resolved.expiry.map { .string($0.utcText) } ?? .null,
            "usable": .bool(credentials.isUsable),
        ]
    }

    // MARK: Requests

    private var requests: JSONObject {
        let counts = client.counts
        return [
            "get": .object(StatusDocument.object(counts.gets)), "list": .object(StatusDocument.object(counts.lists)),
            "in_flight": .number(counts.activeCount), "waiting": .number(counts.waitingCount),
            "in_flight_limit": .number(counts.activeCountMax),
            "connection_limit": .number(connectionLimit),
        ]
    }

    private static func object(_ counts: RequestCounts) -> JSONObject {
        let errors = counts.errorCounts.map { (name: $0.key.rawValue, value: JSONObject.Value.number($0.value)) }
        return [
            "requests": .number(counts.requestCount), "retries": .number(counts.retryCount),
            "hedges": .number(counts.hedgeCount), "unsent": .number(counts.unsentCount),
            "sent": .number(counts.sentCount), "failed": .number(counts.failureCount),
            "cancelled": .number(counts.cancelCount),
            "errors": .object(JSONObject(errors.sorted { $0.name < $1.name })),
            "received_bytes": .number(counts.receivedByteCount),
            "time_to_first_byte": .object(object(counts.latency)),
        ]
    }

    private static func object(_ latency: LatencyDistribution) -> JSONObject {
        func percentile(_ percent: Double) -> JSONObject.Value {
            latency.percentile(percent).map { .seconds($0) } ?? .null
        }
        return [
            "count": .number(latency.count), "sum_seconds": .seconds(latency.sum), "p50_seconds": percentile(50),
            "p90_seconds": percentile(90), "p99_seconds": percentile(99), "max_seconds": percentile(100),
        ]
    }

    // MARK: Answers and caches

    private var reads: JSONObject {
        let counts = reader.counts
        return [
            "reads": .number(counts.readCount), "waited": .number(counts.waitCount),
            "failed": .number(counts.failureCount), "s3_bytes": .number(counts.storeByteCount),
            "disk_cache_bytes": .number(counts.diskByteCount), "memory_cache_bytes": .number(counts.memoryByteCount),
        ]
    }

    private var names: JSONObject {
        let counts = namespace.counts
        return [
            "lookups": .number(counts.lookupCount), "lookups_waited": .number(counts.lookupMissCount),
            "archived_listings": .number(counts.archivedListingCount), "folders": .number(counts.listingCount),
            "inodes": .number(counts.inodeCount), "bad_entries": .object(badEntries),
        ]
    }

    private var badEntries: JSONObject {
        let counts = client.listFlaws.counts
        return JSONObject(
            ListFlaws.Kind.allCases.compactMap { kind in counts[kind].map { (name: kind.rawValue, value: .number($0)) }
            })
    }

    private static func kernel(_ conversation: ConversationCount?) -> JSONObject.Value {
        guard let conversation else { return .null }
        return [
            "requests": .number(Int(clamping: conversation.taken)),
            "answers": .number(Int(clamping: conversation.answered)),
        ]
    }

    private var memory: JSONObject {
        let names = namespace.counts
        return [
            "limit_bytes": .number(memoryByteLimit),
            "process_bytes": (try? ProcessMemory.residentByteCount()).map { .number($0) } ?? .null,
            "block_limit_bytes": .number(blocks.byteLimit), "block_bytes": .number(blocks.residentByteCount),
            "block_in_flight_bytes": .number(blocks.inFlightBlockCount * Block.byteCount),
            "reads_waiting": .number(blocks.waitingReadCount), "metadata_limit_bytes": .number(names.byteLimit),
            "metadata_bytes": .number(names.byteCount),
        ]
    }

    private var diskCache: JSONObject.Value {
        guard let disk else { return .null }
        return [
            "directory": .string(disk.path.string), "limit_bytes": .number(disk.byteLimit),
            "used_bytes": .number(disk.usedByteCount), "storing": .bool(disk.isStoring),
            "damaged": .number(disk.damageCount),
        ]
    }
}

extension JSONObject.Value: ExpressibleByDictionaryLiteral {
    init(dictionaryLiteral members: (String, JSONObject.Value)...) {
        self = .object(JSONObject(members.map { (name: $0.0, value: $0.1) }))
    }

    /// Returns a duration in seconds, with microseconds.
    fileprivate static func seconds(_ duration: Duration) -> JSONObject.Value {
        .real((duration / .microseconds(1)).rounded() / 1_000_000)
    }
}
