/// The meaning of an interrupt for the request that its caller waits in.
///
/// The kernel interrupts a wait for any signal, and for tracers and freezers too. Few of them are about the request:
/// a program under a timer, or one that is stopped and continued, expects its result as from a local disk.
enum InterruptMeaning: Hashable {
    /// The caller wants its answer.
    case goOn
    /// The caller has been asked to stop, and decides for itself, as soon as it runs.
    case mayStop
    /// The caller is about to end, or has ended.
    case stop

    /// The meaning of an interrupt of a thread with this status.
    init(of status: CallerStatus) {
        let ending = status.deliverable.subtracting([status.caught, status.ignored, .survivedByDefault])
        // A tracer may withhold a signal from the thread, all but SIGKILL.
        let isEnding = status.deliverable.contains(.kill) || (!status.isTraced && !ending.isEmpty)
        if status.hasEnded || isEnding {
            self = .stop
        } else if !status.deliverable.intersection(.requestsToStop).subtracting(status.ignored).isEmpty {
            self = .mayStop
        } else {
            self = .goOn
        }
    }
}

/// The decision about one interrupted request, which is looked at again until it is answered.
struct InterruptDecision {
    /// The time that a caller goes on waiting after it was asked to stop, since it may just take note of that.
    static let gracePeriod = Duration.milliseconds(500)

    private var askedToStopSince: ContinuousClock.Instant?

    /// Returns whether the request ends now.
    mutating func ends(_ meaning: InterruptMeaning, now: ContinuousClock.Instant) -> Bool {
        switch meaning {
        case .goOn:
            // Another thread of the process has taken the signal.
            askedToStopSince = nil
            return false
        case .mayStop:
            let start = askedToStopSince ?? now
            askedToStopSince = start
            return now - start >= Self.gracePeriod
        case .stop:
            return true
        }
    }
}
