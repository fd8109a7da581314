import SystemSupport

/// Watches interrupted requests until they are answered, and ends those whose callers are to stop.
///
/// The kernel reports at most one interrupt for each request, and the decisive signal may arrive later. So a thread
/// polls the signals of the callers; it sleeps while no request is interrupted.
final class InterruptWatch: Sendable {
    /// The interval between two polls.
    private static let period = Duration.milliseconds(50)
    /// The minimum ratio of the interval to the duration of a poll, so that many requests do not keep the thread busy.
    private static let restFactor = 10

    private struct Interrupted {
        let reply: ParkedReply
        let caller: Caller
        var decision = InterruptDecision()

        /// Checks the caller. Returns `true` if the request continues.
        mutating func goesOn() -> Bool {
            guard reply.isWaiting else { return false }
            guard decision.ends(caller.interruptMeaning(), now: .now) else { return true }
            reply.interrupt()
            return false
        }
    }

    private struct State {
        /// The requests that were interrupted since the last poll.
        var arrived: [Interrupted] = []
        var thread: WorkerThread?
        var isEnding = false
    }

    private let state = Monitor(State())

    /// Starts the thread.
    func begin() {
        let thread = WorkerThread { self.work() }
        state.change { $0.thread = thread }
    }

    /// Adds a reply whose request was interrupted.
    func add(_ reply: ParkedReply, of caller: Caller) {
        state.change { $0.arrived.append(Interrupted(reply: reply, caller: caller)) }
    }

    /// Ends the thread. Other code ends the requests that still wait.
    func end() {
        state.change { state in
            state.isEnding = true
            defer { state.thread = nil }
            return state.thread
        }?.join()
    }

    private func work() {
        var watched: [Interrupted] = []
        var nextLook = ContinuousClock.now
        while let arrived = nextArrivals(isWatching: !watched.isEmpty, until: nextLook) {
            let start = ContinuousClock.now
            if start >= nextLook {
                watched = Self.lookAt(watched)
                let end = ContinuousClock.now
                nextLook = end + max(Self.period, (end - start) * Self.restFactor)
            }
            watched += Self.lookAt(arrived)
        }
    }

    /// Returns the requests that continue.
    private static func lookAt(_ requests: [Interrupted]) -> [Interrupted] {
        requests.compactMap { request in
            var request = request
            return request.goesOn() ? request : nil
        }
    }

    /// Waits for requests; if some are being watched, no longer than until `deadline`. Returns `nil` at the end.
    private func nextArrivals(isWatching: Bool, until deadline: ContinuousClock.Instant) -> [Interrupted]? {
        if isWatching {
            state.wait(atMost: deadline - .now) { $0.isEnding || !$0.arrived.isEmpty }
        } else {
            state.wait { $0.isEnding || !$0.arrived.isEmpty ? () : nil }
        }
        return state.change { state in
            defer { state.arrived = [] }
            return state.isEnding ? nil : state.arrived
        }
    }
}
