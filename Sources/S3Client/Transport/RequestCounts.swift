public import ObjectStore

/// What has become of the requests of one kind.
///
/// What was sent is what was asked for and what was sent again, but for what never left: `sentCount` and `unsentCount`
/// together are `requestCount`, `retryCount` and `hedgeCount` together.
public struct RequestCounts: Sendable {
    /// What callers asked for, however often it was sent.
    public internal(set) var requestCount = 0
    /// Attempts after one that failed.
    public internal(set) var retryCount = 0
    /// Attempts beside one that was silent or slow.
    public internal(set) var hedgeCount = 0
    /// Attempts that ended before anything of them was sent: no connection, or nobody wanted them any more.
    public internal(set) var unsentCount = 0
    /// Requests that ended with an error.
    public internal(set) var failureCount = 0
    /// Requests that were begun, and ended because nobody wanted them any more.
    public internal(set) var cancelCount = 0
    /// What attempts met, be it that the next one succeeded.
    public internal(set) var errorCounts: [StoreError.Code: Int] = [:]
    /// Bytes of bodies that have come, those of errors included.
    public internal(set) var receivedByteCount = 0
    /// How long the first bytes of what was wanted took, from when the attempt was begun.
    public internal(set) var latency = LatencyDistribution()

    /// HTTP requests that the store was sent: what S3 bills.
    public var sentCount: Int { requestCount + retryCount + hedgeCount - unsentCount }

    /// A request has failed before there was an attempt.
    mutating func noteUnbegun(_ code: StoreError.Code) {
        requestCount += 1
        unsentCount += 1
        failureCount += 1
        errorCounts[code, default: 0] += 1
    }

    /// These and those.
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
