/// The meaning of an interrupt for a request in flight.
///
/// The kernel interrupts a request for any signal, and also for tracers and freezers. Few of them concern the request:
/// a program with a timer, or one that is stopped and continued, expects its result as from a local disk.
enum InterruptMeaning: Hashable {
    /// The caller needs the result.
    case goOn
    /// The caller has a signal that asks it to stop, and may handle it as soon as it runs.
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

/// The decision about an interrupted request, which is repeated until the request is answered.
struct InterruptDecision {
    /// The time for which the request of a caller that is asked to stop continues, since the caller may only record the
    /// signal.
    static let gracePeriod = Duration.milliseconds(500)

    private var askedToStopSince: ContinuousClock.Instant?

    /// Returns whether the request ends now.
    mutating func ends(_ meaning: InterruptMeaning, now: ContinuousClock.Instant) -> Bool {
        switch meaning {
        case .goOn:
            // Another thread of the process has received the signal.
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
