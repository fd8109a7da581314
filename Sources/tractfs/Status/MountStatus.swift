import FoundationEssentials

/// The status of a mount and its server (`StatusDocument`, docs/STATUS.md). Counts begin with the server process.
struct MountStatus: Decodable {
    let uri: String
    let endpoint: String
    let region: String
    let version: String
    let mountedAt: String
    let since: String
    let sinceSeconds: Double
    let serverPid: Int
    let supervisorPid: Int?
    let generation: Int
    /// `nil` for unsigned requests.
    let credentials: Credentials?
    let requests: Requests
    let reads: Reads
    let passthrough: Passthrough
    let names: Names
    let open: Open
    let kernel: Kernel?
    let memory: Memory
    /// `nil` without a disk cache.
    let diskCache: DiskCache?
    /// `nil` for a read-only mount, and from versions without overlays.
    let overlay: String?

    struct Credentials: Decodable {
        let source: String
        let expiresAt: String?
        let usable: Bool
    }

    struct Requests: Decodable {
        let get: Kind
        let list: Kind
        let inFlight: Int
        let waiting: Int
        let inFlightLimit: Int
        let connectionLimit: Int
    }

    /// Requests of one kind.
    struct Kind: Decodable {
        let requests: Int
        let retries: Int
        let hedges: Int
        let unsent: Int
        let sent: Int
        let failed: Int
        let cancelled: Int
        let errors: [String: Int]
        let receivedBytes: Int
        let timeToFirstByte: Latency
    }

    struct Latency: Decodable {
        let count: Int
        let sumSeconds: Double
        let p50Seconds: Double?
        let p90Seconds: Double?
        let p99Seconds: Double?
        let maxSeconds: Double?
    }

    struct Reads: Decodable {
        let reads: Int
        let waited: Int
        let failed: Int
        let s3Bytes: Int
        let diskCacheBytes: Int
        let memoryCacheBytes: Int

        /// The bytes read from all sources.
        var byteCount: Int { s3Bytes + diskCacheBytes + memoryCacheBytes }
    }

    struct Passthrough: Decodable {
        let usable: Bool
        let files: Int
        let opens: Int
    }

    struct Names: Decodable {
        let lookups: Int
        let lookupsWaited: Int
        let archivedListings: Int
        let folders: Int
        let inodes: Int
        /// `nil` from versions before there was one.
        let badEntries: [String: Int]?
    }

    struct Open: Decodable {
        let files: Int
        let folders: Int
    }

    struct Kernel: Decodable {
        let requests: Int
        let answers: Int
    }

    struct Memory: Decodable {
        let limitBytes: Int
        let processBytes: Int?
        let blockLimitBytes: Int
        let blockBytes: Int
        let blockInFlightBytes: Int
        let readsWaiting: Int
        let metadataLimitBytes: Int
        let metadataBytes: Int
    }

    struct DiskCache: Decodable {
        let directory: String
        let limitBytes: Int
        let usedBytes: Int
        let storing: Bool
        let damaged: Int
    }

    /// Decodes a server's answer; `nil` if members are missing because the server has another version.
    init?(parsing text: String) {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let status = try? decoder.decode(MountStatus.self, from: Data(text.utf8)) else { return nil }
        self = status
    }
}
