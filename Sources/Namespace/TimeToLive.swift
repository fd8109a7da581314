/// How long an answer of the store counts as true (`--metadata-ttl`).
public enum TimeToLive: Hashable, Sendable {
    /// As long as this.
    case limited(Duration)
    /// For good: the bucket is known not to change.
    case forever

    func expiry(from start: ContinuousClock.Instant) -> Expiry {
        switch self {
        case .limited(let duration): .at(start + duration)
        case .forever: .never
        }
    }
}

/// Until when an answer counts as true.
public enum Expiry: Hashable, Sendable {
    /// Until this moment.
    case at(ContinuousClock.Instant)
    /// For good.
    case never

    func isOver(at now: ContinuousClock.Instant) -> Bool {
        switch self {
        case .at(let end): now >= end
        case .never: false
        }
    }

    /// How much time is left at `now`: none or more; `nil` where it never ends.
    public func remaining(at now: ContinuousClock.Instant) -> Duration? {
        switch self {
        case .at(let end): max(now.duration(to: end), .zero)
        case .never: nil
        }
    }
}
