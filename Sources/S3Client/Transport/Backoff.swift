/// How long to wait before the next attempt: exponential with full jitter, so that many clients that failed together
/// don't come back together ("Exponential Backoff And Jitter", AWS Architecture Blog).
struct Backoff {
    /// S3's typical time to the first byte, so that a single fault costs about one request's time.
    static let base: Duration = .milliseconds(100)
    /// Long enough to relieve a store that is throttling, short enough to notice that a network is back.
    static let cap: Duration = .seconds(5)

    /// Waits so far in a row without any byte in between.
    private var count = 0

    /// The next wait.
    mutating func next(using generator: inout some RandomNumberGenerator) -> Duration {
        // 100 ms doubled 6 times is beyond the cap.
        let ceiling = min(Self.base * (1 << min(count, 6)), Self.cap)
        count += 1
        return ceiling * Double.random(in: 0...1, using: &generator)
    }

    /// Bytes have come: the next failure is a new one.
    mutating func reset() {
        count = 0
    }
}
