import ObjectStore

/// A request on its way to an end: queued, then attempts with waits between them. Lives on one network thread.
///
/// An attempt that is late may be hedged: a second one is sent beside it, and whichever brings bytes first goes on alone.
/// The two count as one attempt.
final class Exchange {
    /// Where the request stands.
    enum Phase {
        case queued
        case transferring(Attempt, hedge: Attempt?)
        case backingOff(until: ContinuousClock.Instant)
    }

    /// What follows a failed attempt.
    enum Decision: Equatable {
        case retry(after: Duration)
        case end(StoreError)
    }

    let id: UInt64
    let operation: any Operation
    /// When the request is given up. Moves on while bytes come (`extendDeadline`).
    private(set) var deadline: ContinuousClock.Instant
    /// How much time the request was given.
    private let patience: Duration
    /// How many bytes had come when the deadline was set.
    private var countedByteCount = 0
    var phase = Phase.queued
    /// Whose bytes are handed over: of two attempts, that which brought some first. `nil` while either may.
    private var leader: ObjectIdentifier?
    /// Tells when an attempt is late; `nil` where that doesn't matter.
    private var lateness: Lateness?
    /// How many bytes had come when the attempt began.
    private var startByteCount = 0
    private var backoff = Backoff()
    private(set) var attemptCount = 0
    /// What the last attempt met.
    private(set) var lastError: StoreError?
    private var correctionCount = 0
    private var renewalCount = 0

    /// A region and a clock, and one more for a store that has two regions to tell (a redirect, then the signature's).
    private static let correctionLimit = 3

    /// How many times other credentials are tried. Two may be replaced in one go.
    private static let renewalLimit = 3
    /// How much longer each of these waits than the one before: credentials that are good elsewhere may become so here.
    private static let renewalWait: Duration = .milliseconds(250)

    /// How many bytes move the deadline. As many as any network brings in a minute; a server that lets them drip, one a
    /// second, does not come to it.
    private static let progressByteCount = 65_536

    /// - Parameter now: When the request was made; from then on to `deadline` is what it is patient for.
    init(
        id: UInt64, operation: any Operation, deadline: ContinuousClock.Instant, now: ContinuousClock.Instant = .now
    ) {
        self.id = id
        self.operation = operation
        self.deadline = deadline
        patience = deadline - now
    }

    /// Moves a deadline that has come: a slow network is no failure as long as bytes come, and a GET that waits for a
    /// connection waits for such bytes. (A listing doesn't: somebody waits for it, and it is small.)
    ///
    /// - Returns: Whether the request may go on.
    func extendDeadline(now: ContinuousClock.Instant) -> Bool {
        let receivedByteCount = operation.receivedByteCount
        let isWaitingForConnection = attemptCount == 0 && !operation.isListing
        guard isWaitingForConnection || receivedByteCount - countedByteCount >= Self.progressByteCount else {
            return false
        }
        countedByteCount = receivedByteCount
        deadline = now + patience
        return true
    }

    /// When something must be done even if the network stays silent.
    var nextInstant: ContinuousClock.Instant {
        switch phase {
        case .backingOff(let until): min(until, deadline)
        case .transferring(_, hedge: nil): min(lateness?.lookInstant ?? deadline, deadline)
        case .queued, .transferring: deadline
        }
    }

    /// An attempt begins.
    ///
    /// - Parameter lateAfter: How long the store may be silent before the attempt should be hedged; `nil` for ever.
    func begin(_ attempt: Attempt, lateAfter: Duration?, now: ContinuousClock.Instant) {
        attemptCount += 1
        // What a request fails with is what its last attempt met.
        lastError = nil
        phase = .transferring(attempt, hedge: nil)
        leader = nil
        startByteCount = operation.receivedByteCount
        lateness = lateAfter.map { Lateness(after: $0, byteCount: startByteCount, now: now) }
    }

    /// Decides what follows an attempt that failed. Whatever the answer taught has been learned by now.
    func decide(
        after failure: AttemptFailure, now: ContinuousClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        lastError = failure.error
        switch failure.remedy {
        case .none:
            return .end(failure.error)
        case .useRegion(let region) where region == signedRegion:
            return .end(failure.error)
        case .useRegion, .setClock:
            correctionCount += 1
            return correctionCount > Self.correctionLimit ? .end(failure.error) : .retry(after: .zero)
        case .renewCredentials:
            renewalCount += 1
            return renewalCount > Self.renewalLimit
                ? .end(failure.error) : .retry(after: Self.renewalWait * (renewalCount - 1))
        case .backOff:
            if operation.receivedByteCount > startByteCount { backoff.reset() }
            let wait = backoff.next(using: &generator)
            return now + wait < deadline ? .retry(after: wait) : .end(giveUp())
        }
    }

    /// The region that the attempt under way was signed for: a store that names it again can't be helped.
    private var signedRegion: String? {
        guard case .transferring(let attempt, _) = phase else { return nil }
        return attempt.request.region
    }

    /// The error of a request that has run out of time.
    func giveUp() -> StoreError {
        let attempts = attemptCount == 1 ? "1 attempt" : "\(attemptCount) attempts"
        if let lastError {
            return StoreError(
                lastError.code, "\(lastError.message) (given up after \(attempts))", requestID: lastError.requestID)
        }
        switch phase {
        case .transferring(let attempt, _):
            return StoreError(
                .timedOut, "no answer in time from \(attempt.request.server) for \(operation.subject)")
        case .queued, .backingOff:
            return StoreError(.timedOut, "no connection became free in time for \(operation.subject)")
        }
    }
}

// MARK: - Two attempts at once

extension Exchange {
    /// The attempts under way, the first one first.
    var attempts: [Attempt] {
        guard case .transferring(let attempt, let hedge) = phase else { return [] }
        return hedge.map { [attempt, $0] } ?? [attempt]
    }

    /// Whether two attempts are under way.
    var isHedged: Bool {
        guard case .transferring(_, .some) = phase else { return false }
        return true
    }

    /// Looks, where it is time to, whether the only attempt under way is late. Where it can't be hedged now, it is looked
    /// at again.
    func isLate(now: ContinuousClock.Instant) -> Bool {
        guard case .transferring(_, hedge: nil) = phase,
            lateness?.look(byteCount: operation.receivedByteCount, now: now) == true
        else { return false }
        return operation.isAwaitingBytes
    }

    /// A second attempt begins, beside one that is late. Bytes may come from either now.
    func beginHedge(_ hedge: Attempt) {
        guard case .transferring(let attempt, _) = phase else { return }
        phase = .transferring(attempt, hedge: hedge)
        leader = nil
    }

    /// Whether what the transfer brings is wanted: not where the other was faster.
    func admits(_ transfer: Transfer) -> Bool {
        leader == nil || leader == ObjectIdentifier(transfer)
    }

    /// Bytes of the transfer's are about to be handed over: the other's are no longer wanted.
    func lead(_ transfer: Transfer) {
        leader = ObjectIdentifier(transfer)
    }

    /// The attempt that the other has overtaken.
    var overtaken: Attempt? {
        attempts.first { !admits($0.transfer) }
    }

    /// One of two attempts has ended, and the other goes on.
    ///
    /// - Returns: Whether there was another.
    func leave(_ attempt: Attempt, now: ContinuousClock.Instant) -> Bool {
        guard let other = attempts.first(where: { $0.transfer !== attempt.transfer }) else { return false }
        phase = .transferring(other, hedge: nil)
        lateness?.watch(from: now, byteCount: operation.receivedByteCount)
        return true
    }
}
