public import ObjectStore

/// The counts of requests of one kind.
///
/// The attempts that were sent are all attempts, without those that never left: `sentCount` and `unsentCount` together
/// are `requestCount`, `retryCount` and `hedgeCount` together.
public struct RequestCounts: Sendable {
    /// The requests of callers, each counted once.
    public internal(set) var requestCount = 0
    /// The attempts after a failed one.
    public internal(set) var retryCount = 0
    /// The attempts beside a silent or slow one.
    public internal(set) var hedgeCount = 0
    /// The attempts that ended before anything was sent, without a connection or by cancellation.
    public internal(set) var unsentCount = 0
    /// The requests that ended with an error.
    public internal(set) var failureCount = 0
    /// The requests that were canceled after their first attempt.
    public internal(set) var cancelCount = 0
    /// The errors of attempts, including those whose retries succeeded.
    public internal(set) var errorCounts: [StoreError.Code: Int] = [:]
    /// The received bytes of bodies, including those of errors.
    public internal(set) var receivedByteCount = 0
    /// The times from the start of an attempt to the first bytes of its body.
    public internal(set) var latency = LatencyDistribution()

    /// The number of HTTP requests sent to the store, which S3 charges for.
    public var sentCount: Int { requestCount + retryCount + hedgeCount - unsentCount }

    /// Records a request that failed before its first attempt.
    mutating func noteUnbegun(_ code: StoreError.Code) {
        requestCount += 1
        unsentCount += 1
        failureCount += 1
        errorCounts[code, default: 0] += 1
    }

    /// Adds other counts.
    mutating func add(_ other: RequestCounts) {
        requestCount += other.requestCount
        retryCount += other.retryCount
        hedgeCount += other.hedgeCount
        unsentCount += other.unsentCount
        failureCount += other.failureCount
        cancelCount += other.cancelCount
        errorCounts.merge(other.errorCounts, uniquingKeysWith: +)
        receivedByteCount += other.receivedByteCount
        latency.add(other.latency)
    }
}
