import SystemSupport

/// Looks after interrupted requests until they are answered, and ends those whose callers are to stop.
///
/// The kernel reports one interrupt a request at the most, and the signal that matters may come later. So a thread looks at
/// their callers' signals again and again; it waits while no request is interrupted.
final class InterruptWatch: Sendable {
    /// The time between two looks.
    private static let period = Duration.milliseconds(50)
    /// The least part of the time that the thread rests, where many requests make a look take long: one look in so many times
    /// its duration.
    private static let restFactor = 10

    private struct Interrupted {
        let reply: ParkedReply
        let caller: Caller
        var decision = InterruptDecision()

        /// Looks at the caller. Returns whether the request goes on.
        mutating func goesOn() -> Bool {
            guard reply.isWaiting else { return false }
            guard decision.ends(caller.interruptMeaning(), now: .now) else { return true }
            reply.interrupt()
            return false
        }
    }

    private struct State {
        /// Requests that were interrupted since the thread looked last.
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

    /// Takes over a reply whose request was interrupted.
    func add(_ reply: ParkedReply, of caller: Caller) {
        state.change { $0.arrived.append(Interrupted(reply: reply, caller: caller)) }
    }

    /// Ends the thread. What still waits is ended by others.
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

    /// Returns those that go on.
    private static func lookAt(_ requests: [Interrupted]) -> [Interrupted] {
        requests.compactMap { request in
            var request = request
            return request.goesOn() ? request : nil
        }
    }

    /// Waits for requests, no longer than until `deadline` if the thread has some to look at. Returns `nil` at the end.
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
