import ObjectStore
import SystemSupport

/// When credentials are to be renewed.
struct RenewalSchedule {
    /// Long enough before they end for a service that is down for a while, and for requests that are signed and queue up.
    static let leadTime: Duration = .seconds(300)
    /// Many machines that started together shall not ask together.
    static let jitter: Duration = .seconds(60)
    /// As long as nothing else says when.
    static let waitMax: Duration = .seconds(3_600)
    /// What is about to end may not have been renewed yet where it comes from.
    static let waitMin: Duration = .seconds(1)
    /// The longest wait after a failure.
    static let retryMax: Duration = .seconds(60)

    /// `nil` where nobody has said that the credentials end.
    private(set) var instant: ContinuousClock.Instant?
    private var failureCount = 0

    /// - Parameters:
    ///   - expiry: When the credentials end, by this machine's clock.
    ///   - time: What that clock says.
    init(expiry: Timestamp?, time: Timestamp = .now, now: ContinuousClock.Instant = .now) {
        guard let expiry else { return }
        let remaining = Duration.seconds(expiry.seconds - time.seconds)
        let isLong = remaining > (Self.leadTime + Self.jitter) * 2
        // Those that hold a few minutes only are renewed half-way.
        let wait = isLong ? remaining - Self.leadTime - Self.jitter * Double.random(in: 0...1) : remaining / 2
        // What has ended already is what the sources still have: they are asked as often as sources that fail.
        instant = now + (remaining > .zero ? max(wait, Self.waitMin) : Self.retryMax)
    }

    /// Whether it is time.
    func isDue(now: ContinuousClock.Instant) -> Bool {
        instant.map { $0 <= now } ?? false
    }

    /// How long there is time yet.
    func wait(now: ContinuousClock.Instant) -> Duration {
        guard let instant else { return Self.waitMax }
        return min(max(instant - now, .zero), Self.waitMax)
    }

    /// It didn't work: again in a while, which grows.
    mutating func noteFailure(now: ContinuousClock.Instant) {
        instant = now + min(Self.waitMin * (1 << min(failureCount, 6)), Self.retryMax)
        failureCount += 1
    }
}
