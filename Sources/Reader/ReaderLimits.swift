/// The limits of a reader. The limit of its memory is that of the cache.
public struct ReaderLimits: Hashable, Sendable {
    /// The timeout of the request for a part, including retries (`--read-timeout`). Also the longest wait of a read for
    /// memory.
    public var readTimeout: Duration

    /// Creates limits with these values.
    public init(readTimeout: Duration) {
        self.readTimeout = readTimeout
    }
}
