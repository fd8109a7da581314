/// What a reader keeps to. Its memory is the cache's.
public struct ReaderLimits: Hashable, Sendable {
    /// When the request for a part is given up, its retries included (`--read-timeout`). Also the longest that a read
    /// waits for memory.
    public var readTimeout: Duration

    /// Limits of these values.
    public init(readTimeout: Duration) {
        self.readTimeout = readTimeout
    }
}
