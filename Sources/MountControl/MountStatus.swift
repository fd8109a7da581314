/// The status of a mount and of the process that serves it. Counts begin with that process.
///
/// This is the schema of `tractfs status --json`, with the members in this order; docs/STATUS.md defines them. A member
/// that is added later must be optional, so that responses of older servers can be decoded.
///
/// `StatusCollector` (target tractfs) fills it; `StatusText` and `StatusMetrics` (Reporting) print it.
package struct MountStatus: Codable, Sendable {
    package var uri = ""
    package var endpoint = ""
    package var region = ""
    package var version = ""
    package var mountedAt = ""
    package var since = ""
    package var sinceSeconds = 0.0
    package var serverPid = 0
    package var supervisorPid: Int?
    package var generation = 0
    /// `nil` for unsigned requests.
    package var credentials: Credentials?
    package var requests = Requests()
    package var reads = Reads()
    package var passthrough = Passthrough()
    package var names = Names()
    package var open = Open()
    package var kernel: Kernel?
    package var memory = Memory()
    /// `nil` without a disk cache.
    package var diskCache: DiskCache?
    /// `nil` for a read-only mount.
    package var overlay: String?

    package init() {}

    package struct Credentials: Codable, Sendable {
        package var source = ""
        package var expiresAt: String?
        package var usable = false

        package init() {}
    }

    package struct Requests: Codable, Sendable {
        package var get = Kind()
        package var list = Kind()
        package var inFlight = 0
        package var waiting = 0
        package var inFlightLimit = 0
        package var connectionLimit = 0

        package init() {}
    }

    /// Requests of one kind.
    package struct Kind: Codable, Sendable {
        package var requests = 0
        package var retries = 0
        package var hedges = 0
        package var unsent = 0
        package var sent = 0
        package var failed = 0
        package var cancelled = 0
        package var errors: NamedValues<Int> = [:]
        package var receivedBytes = 0
        package var timeToFirstByte = Latency()

        package init() {}
    }

    package struct Latency: Codable, Sendable {
        package var count = 0
        package var sumSeconds = 0.0
        package var p50Seconds: Double?
        package var p90Seconds: Double?
        package var p99Seconds: Double?
        package var maxSeconds: Double?

        package init() {}
    }

    package struct Reads: Codable, Sendable {
        package var reads = 0
        package var waited = 0
        package var failed = 0
        package var s3Bytes = 0
        package var diskCacheBytes = 0
        package var memoryCacheBytes = 0

        package init() {}

        /// The bytes read from all sources.
        package var byteCount: Int { s3Bytes + diskCacheBytes + memoryCacheBytes }
    }

    package struct Passthrough: Codable, Sendable {
        package var usable = false
        package var files = 0
        package var opens = 0

        package init() {}
    }

    package struct Names: Codable, Sendable {
        package var lookups = 0
        package var lookupsWaited = 0
        package var archivedListings = 0
        package var folders = 0
        package var inodes = 0
        /// `nil` from versions before this member was added.
        package var badEntries: NamedValues<Int>?

        package init() {}
    }

    package struct Open: Codable, Sendable {
        package var files = 0
        package var folders = 0

        package init() {}
    }

    package struct Kernel: Codable, Sendable {
        package var requests = 0
        package var answers = 0

        package init() {}
    }

    package struct Memory: Codable, Sendable {
        package var limitBytes = 0
        package var processBytes: Int?
        package var blockLimitBytes = 0
        package var blockBytes = 0
        package var blockInFlightBytes = 0
        package var readsWaiting = 0
        package var metadataLimitBytes = 0
        package var metadataBytes = 0

        package init() {}
    }

    package struct DiskCache: Codable, Sendable {
        package var directory = ""
        package var limitBytes = 0
        package var usedBytes = 0
        package var storing = false
        package var damaged = 0
        /// `nil`, as the next one, from versions before these members were added.
        package var skippedBytes: Int?
        package var storedLaterBytes: Int?

        package init() {}
    }

    /// Decodes a server's document; `nil` if members are missing because the server has another version.
    package init?(parsing text: String) {
        guard let status = try? ControlDocument.decode(MountStatus.self, from: Array(text.utf8)) else { return nil }
        self = status
    }
}
