/// The limits of a reader. The limit of its memory is that of the cache.
public struct ReaderLimits: Hashable, Sendable {
    /// The timeout of the request for a part, including retries (`--read-timeout`). Also the longest wait of a read for
    /// memory.
    public var readTimeout: Duration
    /// The time without reads after which holes on the disk are filled (`HoleFiller`); `nil` for never.
    public var refetchDelay: Duration?

    /// Creates limits with these values.
    public init(readTimeout: Duration, refetchDelay: Duration? = nil) {
        self.readTimeout = readTimeout
        self.refetchDelay = refetchDelay
    }
}
