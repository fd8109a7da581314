import ObjectStore

/// Watches an attempt for silence: says when nothing has come for longer than it should take.
struct Lateness {
    /// An answer that has begun is late when nothing comes for so many times as long as for its beginning: in the middle,
    /// lost packets and a crowded network make longer pauses than a slow store.
    static let stallMultiple = 2
    /// A connection that lost its last packet finds out by a probe after two round trips (tail loss probe, RFC 8985). One that
    /// has to wait for its timer instead, 200 ms (TCP_RTO_MIN of Linux), is worth a second request.
    static let stallMinimum: Duration = .milliseconds(100)
    /// However slow the store is otherwise, an answer that has begun does not pause for so long.
    static let stallMaximum: Duration = .seconds(1)

    /// How long the first bytes may take.
    private var lateAfter: Duration
    /// How long they take if they will not come, as far as the store's other answers tell.
    private var overdueAfter: Duration
    /// How many times as long as others tell these are.
    private var patience = 1
    /// Since when this attempt is watched.
    private var watchInstant: RunningClock.Instant
    /// When to look again.
    private(set) var lookInstant: RunningClock.Instant

    /// - Parameters:
    ///   - lateAfter: How long the first bytes may take, from `now` on.
    ///   - overdueAfter: How long they take if they will not come, as far as the store's other answers tell.
    init(after lateAfter: Duration, overdueAfter: Duration, now: RunningClock.Instant) {
        self.lateAfter = lateAfter
        self.overdueAfter = overdueAfter
        watchInstant = now
        lookInstant = now + lateAfter
    }

    /// How long a pause may be once the answer has begun.
    private var stallLimit: Duration {
        max(min(lateAfter * Self.stallMultiple, Self.stallMaximum), Self.stallMinimum)
    }

    /// How long nothing may come.
    private func limit(of progress: Progress) -> Duration {
        progress.hasBegun ? stallLimit : lateAfter
    }

    /// How long nothing has come, since the attempt is watched.
    private func silence(of progress: Progress, now: RunningClock.Instant) -> Duration {
        now - max(progress.instant, watchInstant)
    }

    /// The store's other answers tell by now that this one should take less time than was thought when it began: those that
    /// began with it have come, and it hasn't.
    mutating func learn(lateAfter: Duration, overdueAfter: Duration) {
        self.lateAfter = min(self.lateAfter, lateAfter * patience)
        self.overdueAfter = min(self.overdueAfter, overdueAfter * patience)
        lookInstant = min(lookInstant, watchInstant + self.lateAfter)
    }

    /// Looks, where it is time to.
    ///
    /// - Returns: Whether the attempt is late. Then it is time again after as long a silence.
    mutating func look(at progress: Progress, now: RunningClock.Instant) -> Bool {
        guard lookInstant <= now else { return false }
        let isLate = isLate(progress, now: now)
        let wait = limit(of: progress)
        lookInstant = isLate ? now + wait : now - silence(of: progress, now: now) + wait
        return isLate
    }

    /// Whether nothing has come for longer than it should take.
    func isLate(_ progress: Progress, now: RunningClock.Instant) -> Bool {
        silence(of: progress, now: now) >= limit(of: progress)
    }

    /// Whether the silence has lasted for so long that it can't be called late any more.
    func isOverdue(_ progress: Progress, now: RunningClock.Instant) -> Bool {
        silence(of: progress, now: now) >= max(lateAfter, stallLimit, min(overdueAfter, Self.stallMaximum))
    }

    /// Both attempts were silent for too long, which a store that has just become slow makes them all be: the next ones are heard
    /// out for twice as long, or no answer would ever be waited for.
    mutating func relax() {
        patience *= 2
        lateAfter *= 2
        overdueAfter *= 2
    }

    /// Begins anew to wait for the next bytes.
    mutating func watch(from now: RunningClock.Instant) {
        watchInstant = now
        lookInstant = now + min(lateAfter, stallLimit)
    }
}
