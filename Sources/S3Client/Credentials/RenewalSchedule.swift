import ObjectStore
import SystemSupport

/// The time at which credentials are renewed.
struct RenewalSchedule {
    /// The time before the expiry: enough for a service that is down for a while, and for signed requests that wait in
    /// a queue.
    static let leadTime: Duration = .seconds(300)
    /// The range of random variation, so that machines that started together do not send their requests together.
    static let jitter: Duration = .seconds(60)
    /// The longest wait, in the absence of a schedule.
    static let waitMax: Duration = .seconds(3_600)
    /// The shortest wait: credentials that expire soon may not have been renewed at their source yet.
    static let waitMin: Duration = .seconds(1)
    /// The longest wait after a failure.
    static let retryMax: Duration = .seconds(60)

    /// The time of the next renewal; `nil` for credentials without an expiry.
    private(set) var instant: ContinuousClock.Instant?
    private var failureCount = 0

    /// Creates the schedule of credentials that were received now.
    ///
    /// - Parameters:
    ///   - expiry: The expiry of the credentials, by this machine's clock.
    ///   - time: The current time of that clock.
    init(expiry: Timestamp?, time: Timestamp = .now, now: ContinuousClock.Instant = .now) {
        guard let expiry else { return }
        let remaining = Duration.seconds(expiry.seconds - time.seconds)
        let isLong = remaining > (Self.leadTime + Self.jitter) * 2
        // Credentials that last only a few minutes are renewed half-way.
        let wait = isLong ? remaining - Self.leadTime - Self.jitter * Double.random(in: 0...1) : remaining / 2
        // Expired credentials mean that the source has no newer ones yet: it is asked as often as one that fails.
        instant = now + (remaining > .zero ? max(wait, Self.waitMin) : Self.retryMax)
    }

    /// Returns `true` if the renewal is due.
    func isDue(now: ContinuousClock.Instant) -> Bool {
        instant.map { $0 <= now } ?? false
    }

    /// Returns the time until the renewal.
    func wait(now: ContinuousClock.Instant) -> Duration {
        guard let instant else { return Self.waitMax }
        return min(max(instant - now, .zero), Self.waitMax)
    }

    /// Schedules the next attempt after a failure, with an interval that grows.
    mutating func noteFailure(now: ContinuousClock.Instant) {
        instant = now + min(Self.waitMin * (1 << min(failureCount, 6)), Self.retryMax)
        failureCount += 1
    }
}
