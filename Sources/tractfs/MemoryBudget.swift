import BlockCache
import SystemSupport

/// How the memory of a mount (`--memory-limit`) is divided. All of it is accounted for before it is used: what file contents
/// take is mapped once, listings are dropped beyond their share, and connections are bounded in number. What is left out is
/// the program itself, some 20 MiB.
struct MemoryBudget {
    /// The whole of it, in bytes.
    let byteLimit: Int
    /// How many connections there may be.
    let connectionLimit: Int
    /// For listings, and for what the kernel knows of files and folders (`--metadata-limit`).
    let metadataByteLimit: Int

    /// The least that works: a few streams at a time.
    static let minimumByteLimit = 64 << 20
    /// The least for listings: some big folders at a time.
    static let minimumMetadataByteLimit = 8 << 20
    /// What curl takes for a connection in use: its receive buffer, TLS, and the request's head.
    private static let connectionByteCount = 320 << 10

    /// - Parameters:
    ///   - connectionLimit: How many connections are wanted; there are fewer where they would take more than a quarter of
    ///     the memory.
    ///   - metadataByteLimit: At most half of the memory; `nil` for a quarter.
    init(byteLimit: Int, connectionLimit: Int, metadataByteLimit: Int?) {
        self.byteLimit = byteLimit
        self.metadataByteLimit = metadataByteLimit ?? byteLimit / 4
        self.connectionLimit = max(1, min(connectionLimit, byteLimit / 4 / MemoryBudget.connectionByteCount))
    }

    /// An eighth of what this process may use, but enough for some streams.
    static func standardByteLimit(machineMemory: Int) -> Int {
        max(machineMemory / 8, 128 << 20)
    }

    /// The most that `--metadata-limit` may be of a memory limit: the other half is for connections and file contents.
    static func metadataByteLimitMax(ofLimit byteLimit: Int) -> Int {
        byteLimit / 2
    }

    /// For what is being fetched, and for file contents in memory.
    var blockByteLimit: Int {
        byteLimit - metadataByteLimit - connectionLimit * MemoryBudget.connectionByteCount
    }
}
