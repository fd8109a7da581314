/// The division of a mount's memory (`--memory-limit`). All memory is accounted for before it is used: the blocks of
/// file contents are mapped once, listings are evicted beyond their share, and the number of connections is limited.
/// Only the program itself, some 20 MiB, is not included.
package struct MemoryBudget {
    /// The memory limit, in bytes.
    package let byteLimit: Int
    /// The most connections.
    package let connectionLimit: Int
    /// The share of listings and of the state that the kernel has of files and folders (`--metadata-limit`).
    package let metadataByteLimit: Int

    /// The least that works: a few streams at a time.
    package static let minimumByteLimit = 64 << 20
    /// The least for listings: some big folders at a time.
    package static let minimumMetadataByteLimit = 8 << 20
    /// The memory of a connection in use: curl's receive buffer, TLS, and the headers of the request.
    private static let connectionByteCount = 320 << 10

    /// Divides `byteLimit` bytes.
    ///
    /// - Parameters:
    ///   - connectionLimit: The wanted number of connections. It is reduced if they would take more than a quarter of
    ///     the memory.
    ///   - metadataByteLimit: At most half of the memory; `nil` for a quarter.
    package init(byteLimit: Int, connectionLimit: Int, metadataByteLimit: Int?) {
        self.byteLimit = byteLimit
        self.metadataByteLimit = metadataByteLimit ?? byteLimit / 4
        self.connectionLimit = max(1, min(connectionLimit, byteLimit / 4 / MemoryBudget.connectionByteCount))
    }

    /// Returns the default limit: an eighth of the memory that this process may use, but enough for some streams.
    package static func standardByteLimit(machineMemory: Int) -> Int {
        max(machineMemory / 8, 128 << 20)
    }

    /// Returns the maximum of `--metadata-limit`: the other half is for connections and file contents.
    package static func metadataByteLimitMax(ofLimit byteLimit: Int) -> Int {
        byteLimit / 2
    }

    /// The share of requests in flight and of file contents in memory.
    package var blockByteLimit: Int {
        byteLimit - metadataByteLimit - connectionLimit * MemoryBudget.connectionByteCount
    }
}
