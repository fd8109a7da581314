/// How long to wait before the next attempt: exponential with full jitter, so that many clients that failed together
/// don't come back together ("Exponential Backoff And Jitter", AWS Architecture Blog).
struct Backoff {
    /// Half of it, on average, is S3's typical time to the first byte: a single fault costs about one request's time.
    static let base: Duration = .milliseconds(50)
    /// Long enough to relieve a store that is throttling, short enough to notice that a network is back.
    static let cap: Duration = .seconds(5)

    /// Waits so far in a row without any byte in between.
    private var count = 0

    /// The next wait.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        // 50 ms doubled 7 times is beyond the cap.
        let ceiling = min(Self.base * (1 << min(count, 7)), Self.cap)
        count += 1
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    /// Bytes have come: the next failure is a new one.
    mutating func reset() {
        count = 0
    }
}
