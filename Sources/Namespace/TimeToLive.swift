/// The time until a response of the store expires (`--metadata-ttl`; the default is in `RunningOptions`, target
/// tractfs). It limits attributes, names and negative entries alike; `KernelTimeout` in FuseBridge limits negative
/// entries further.
public enum TimeToLive: Hashable, Sendable {
    /// This long.
    case limited(Duration)
    /// Forever: the bucket is known not to change.
    case forever

    func expiry(from start: ContinuousClock.Instant) -> Expiry {
        switch self {
        case .limited(let duration): .at(start + duration)
        case .forever: .never
        }
    }
}

/// The time at which a response expires.
public enum Expiry: Hashable, Sendable {
    /// At this time.
    case at(ContinuousClock.Instant)
    /// Never.
    case never

    func isOver(at now: ContinuousClock.Instant) -> Bool {
        switch self {
        case .at(let end): now >= end
        case .never: false
        }
    }

    /// Returns the remaining time, zero or more; `nil` if it doesn't end.
    public func remaining(at now: ContinuousClock.Instant) -> Duration? {
        switch self {
        case .at(let end): max(now.duration(to: end), .zero)
        case .never: nil
        }
    }
}
