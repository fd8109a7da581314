/// The waits before retries: exponential with full jitter, so that many clients that failed together do not retry
/// together ("Exponential Backoff And Jitter", AWS Architecture Blog).
struct Backoff {
    /// The first maximum. Half of it, the average wait, is S3's typical time to the first byte, so that a single fault
    /// costs about the time of one request.
    static let base: Duration = .milliseconds(50)
    /// The largest maximum: long enough to relieve a throttling store, short enough to notice that a network is back.
    static let cap: Duration = .seconds(5)

    /// The number of waits in a row without progress in between.
    private var count = 0
    /// `true` after the one retry without a wait. A server that closes each connection after some bytes would get
    /// request after request otherwise.
    private var hasRetriedAtOnce = false

    /// Returns the next wait: none after the first failure other than throttling, since most such failures
    /// concern one request.
    mutating func next(isThrottled: Bool, using generator: inout some RandomNumberGenerator) -> Duration {
        defer { count += 1 }
        if count == 0, !isThrottled, !hasRetriedAtOnce {
            hasRetriedAtOnce = true
            return .zero
        }
        // 50 ms doubled 7 times is more than the cap.
        let ceiling = min(Self.base * (1 << min(count, 7)), Self.cap)
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    /// Starts again after progress.
    mutating func reset() {
        count = 0
    }
}
