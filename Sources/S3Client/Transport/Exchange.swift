import ObjectStore
import SystemSupport

/// A request on its way to an end: queued, then attempts with waits between them. Lives on one network thread.
///
/// An attempt that is silent or slow may be hedged: a second one is sent beside it, for what is missing then, and soon one of them
/// goes on alone. The two count as one attempt.
final class Exchange {
    /// Where the request stands.
    enum Phase {
        case queued
        case transferring(Attempt, hedge: Attempt?)
        case backingOff(until: RunningClock.Instant)
    }

    /// What follows a failed attempt.
    enum Decision: Equatable {
        case retry(after: Duration)
        case end(StoreError)
    }

    let id: UInt64
    let operation: any Operation
    /// When the request is given up. Moves on while bytes come (`extendDeadline`).
    private(set) var deadline: RunningClock.Instant
    /// How much time the request was given.
    let patience: Duration
    /// When bytes came last, as far as looks have told; `nil` where none have.
    private(set) var progressInstant: RunningClock.Instant?
    /// How long an attempt may bring nothing before it is given up.
    private var silenceLimit = silenceLimitFirst
    /// The instant at which the process went on that had not run for a while, in the middle of the attempt.
    private var breakInstant: RunningClock.Instant?
    /// Whether an attempt was given up that had brought nothing at all.
    private var wasSilent = false
    /// Whether the next attempt must not use a connection that is there: the last one used one that had gone silent or
    /// broke, and others may be as dead.
    private(set) var needsNewConnection = false
    /// How many bytes had come when the deadline was set.
    private var countedByteCount = 0
    var phase = Phase.queued
    /// The attempt of two that goes on alone. `nil` while both are wanted.
    private var leader: ObjectIdentifier?
    /// The instant from which on silence counts.
    private var watchInstant: RunningClock.Instant
    /// The number of hedges beside this attempt, one after the other.
    private var hedgeCount = 0
    /// `true` if a hedge is to be sent as soon as a transfer is free.
    private var isHedgeDue = false
    /// `true` if the hedge began before the first attempt brought anything.
    private var isRace = false
    /// Since when the newest attempt has been slow.
    private var slowInstant: RunningClock.Instant?
    /// The common rate when an attempt was found slow. The fast ones may end before it can be hedged, and leave none to compare with.
    private var fastRate = 0.0
    /// How many bytes had been handed over when the attempt began.
    private var startByteCount = 0
    private var backoff = Backoff()
    private(set) var attemptCount = 0
    /// When to look whether bytes come.
    private var progressLookInstant: RunningClock.Instant?
    /// What the last attempt met.
    private(set) var lastError: StoreError?
    /// The reason for which the next attempt waits for an address or credentials.
    private var waitReason: StoreError?
    private var correctionCount = 0
    private var renewalCount = 0

    /// A region and a clock, and one more for a store that has two regions to tell (a redirect, then the signature's).
    private static let correctionLimit = 3

    /// How many times other credentials are tried. Two may be replaced in one go.
    private static let renewalLimit = 3
    /// How much longer each of these waits than the one before: credentials that are good elsewhere may become so here.
    private static let renewalWait: Duration = .milliseconds(250)

    /// How long an attempt may be silent: far beyond what S3 takes.
    private static let silenceLimitFirst: Duration = .seconds(5)

    /// Twice as long after each attempt that brought nothing at all, up to this, or a store that is so slow would never be
    /// heard out.
    private static let silenceLimitMax: Duration = .seconds(20)

    /// How often an attempt is looked at for progress.
    private static let progressInterval: Duration = .seconds(1)

    /// How many bytes move the deadline. As many as any network brings in a minute; a server that lets them drip, one a
    /// second, does not come to it.
    private static let progressByteCount = 65_536

    /// - Parameter now: When the request was made; from then on to `deadline` is what it is patient for.
    init(
        id: UInt64, operation: any Operation, deadline: RunningClock.Instant, now: RunningClock.Instant = .now
    ) {
        self.id = id
        self.operation = operation
        self.deadline = deadline
        patience = deadline - now
        watchInstant = now
    }

    /// Moves a deadline that has come: a slow network is no failure as long as bytes come, and a GET that waits for a
    /// connection waits for such bytes. (A listing doesn't: somebody waits for it, and it is small.) It moves to when nothing
    /// has come for as long as the request was given at first.
    ///
    /// - Parameter answeredAt: When the store sent something last, whoever it was for.
    /// - Returns: Whether the request may go on.
    func extendDeadline(now: RunningClock.Instant, answeredAt: RunningClock.Instant?) -> Bool {
        let receivedByteCount = operation.receivedByteCount
        let lastInstant: RunningClock.Instant?
        if receivedByteCount - countedByteCount >= Self.progressByteCount {
            lastInstant = progressInstant
        } else if attemptCount == 0 && operation.kind == .get && operation.missingByteCount > 0 {
            lastInstant = answeredAt
        } else {
            return false
        }
        guard let extended = lastInstant.map({ $0 + patience }), extended > now else { return false }
        countedByteCount = receivedByteCount
        deadline = extended
        return true
    }

    /// When something must be done even if the network stays silent.
    var nextInstant: RunningClock.Instant {
        switch phase {
        case .backingOff(let until): min(until, deadline)
        case .transferring: min(progressLookInstant ?? deadline, deadline)
        case .queued: deadline
        }
    }

    /// An attempt begins.
    func begin(_ attempt: Attempt, now: RunningClock.Instant) {
        attemptCount += 1
        needsNewConnection = false
        // Only now, and once, though two may have been silent at the same time.
        if wasSilent { silenceLimit = min(silenceLimit * 2, Self.silenceLimitMax) }
        wasSilent = false
        breakInstant = nil
        progressLookInstant = now + Self.progressInterval
        // What a request fails with is what its last attempt met.
        lastError = nil
        waitReason = nil
        phase = .transferring(attempt, hedge: nil)
        leader = nil
        startByteCount = operation.receivedByteCount
        hedgeCount = 0
        fastRate = 0
        watchAlone(from: now)
    }

    /// Waits for what an attempt needs before it can begin: an address, credentials.
    ///
    /// - Parameter reason: The error of a request that ends meanwhile; `nil` where there is no other than that.
    func wait(until instant: RunningClock.Instant, for reason: StoreError?) {
        waitReason = reason
        phase = .backingOff(until: instant)
    }

    /// Decides what follows an attempt that failed. Whatever the answer taught has been learned by now.
    func decide(
        after failure: AttemptFailure, now: RunningClock.Instant, using generator: inout some RandomNumberGenerator
    ) -> Decision {
        waitReason = nil
        lastError = failure.error
        switch failure.remedy {
        case .none:
            return .end(failure.error)
        case .useRegion(let region) where region == signedRegion:
            return .end(failure.error)
        case .useRegion, .setClock, .askOtherwise:
            correctionCount += 1
            return correctionCount > Self.correctionLimit ? .end(failure.error) : .retry(after: .zero)
        case .renewCredentials:
            renewalCount += 1
            return renewalCount > Self.renewalLimit
                ? .end(failure.error) : .retry(after: Self.renewalWait * (renewalCount - 1))
        case .backOff:
            noteLoss(of: failure)
            let wait = max(backoff.next(using: &generator), failure.retryAfter ?? .zero)
            let hasTime = now + wait < deadline || extendDeadline(now: now, answeredAt: nil)
            return hasTime && now + wait < deadline ? .retry(after: wait) : .end(giveUp())
        }
    }

    /// An attempt has failed that may be repeated.
    private func noteLoss(of failure: AttemptFailure) {
        needsNewConnection = failure.error.code == .timedOut || failure.error.code == .unreachable
        if operation.receivedByteCount > startByteCount {
            silenceLimit = Self.silenceLimitFirst
            wasSilent = false
        }
        // Not for a few bytes: a server that always breaks off after the first ones would be asked all the time.
        if operation.receivedByteCount - startByteCount >= Self.progressByteCount { backoff.reset() }
    }

    /// The region that the attempt under way was signed for: a store that names it again can't be helped.
    private var signedRegion: String? {
        guard case .transferring(let attempt, _) = phase else { return nil }
        return attempt.request.region
    }

    /// The error of a request that has run out of time.
    ///
    /// - Parameter isThrottled: Whether the store has asked for less traffic, and gets less.
    func giveUp(isThrottled: Bool = false) -> StoreError {
        let attempts = attemptCount == 1 ? "1 attempt" : "\(attemptCount) attempts"
        if let lastError = waitReason ?? lastError {
            if attemptCount == 0 { return lastError }
            return StoreError(
                lastError.code, "\(lastError.message) (given up after \(attempts))", requestID: lastError.requestID)
        }
        switch phase {
        case .transferring(let attempt, _):
            return StoreError(
                .timedOut, "no answer in time from \(attempt.request.server) for \(operation.subject)")
        case .queued:
            let reason =
                isThrottled ? "the store asked for less traffic, and no turn came" : "no connection became free"
            return StoreError(.timedOut, "\(reason) in time for \(operation.subject)")
        case .backingOff:
            return StoreError(.timedOut, "no credentials came in time for \(operation.subject)")
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

    /// Looks whether the attempts under way need a hedge.
    ///
    /// - Returns: Whether that is news since `takeHedgeReason`.
    func needsHedge(_ hedging: Hedging, now: RunningClock.Instant) -> Bool {
        guard !isHedgeDue, hedgeReason(hedging, now: now) != nil else { return false }
        isHedgeDue = true
        return true
    }

    /// Returns the reason for the hedge that was due, if it still holds: the exchange may have had to wait for a free transfer.
    /// If the hedge can't be sent now, the attempts are looked at again.
    func takeHedgeReason(_ hedging: Hedging, now: RunningClock.Instant) -> HedgeReason? {
        guard isHedgeDue else { return nil }
        isHedgeDue = false
        return hedgeReason(hedging, now: now)
    }

    /// Returns the reason for which the newest attempt needs a hedge.
    private func hedgeReason(_ hedging: Hedging, now: RunningClock.Instant) -> HedgeReason? {
        guard operation.isHedgeable, operation.isAwaitingBytes, let transfer = attempts.last?.transfer else {
            return nil
        }
        let verdict = transfer.progress.isSlow(
            missingByteCount: operation.missingByteCount, peerRate: max(hedging.rates.common, fastRate),
            hedgeDelay: hedging.latency.hedgeDelay, patience: Hedging.patience(hedgeCount: hedgeCount), now: now)
        switch verdict {
        case true:
            slowInstant = slowInstant ?? now
            fastRate = max(hedging.rates.common, fastRate)
        case false:
            slowInstant = nil
            fastRate = 0
        case nil: break
        }
        if slowInstant != nil { return .slow }
        return hedging.silenceReason(transfer.progress, since: watchInstant, hedgeCount: hedgeCount, now: now)
    }

    /// Returns `true` if the attempt has been slow for as long as a silent one may be: no budget holds a hedge back any more.
    func isSlowForLong(now: RunningClock.Instant) -> Bool {
        slowInstant.map { now - $0 >= Self.silenceLimitFirst } ?? false
    }

    /// The attempt of two that goes where a third one begins: that which has been silent for longer.
    var replaceable: Attempt? {
        isHedged ? attempts.min { $0.transfer.progress.instant < $1.transfer.progress.instant } : nil
    }

    /// Looks, where it is time to, whether the attempts under way bring anything.
    ///
    /// - Returns: Those that have been silent for too long; `nil` where it isn't time.
    func stalledAttempts(now: RunningClock.Instant) -> [Attempt]? {
        // The clock may have been set back since: an instant that is far ahead has come as well.
        guard let instant = progressLookInstant, instant <= now || instant - now > Self.progressInterval,
            case .transferring = phase
        else { return nil }
        progressLookInstant = now + Self.progressInterval
        for attempt in attempts where attempt.transfer.progress.instant > now {
            attempt.transfer.progress.rest(at: now)
        }
        return attempts.filter { attempt in
            let progress = attempt.transfer.progress
            if progress.hasBegun { progressInstant = max(progressInstant ?? progress.instant, progress.instant) }
            return now - progress.instant >= silenceLimit(for: progress)
        }
    }

    /// Returns the time for which nothing may come. After a break the connection may be dead, and has a second to show that it isn't.
    private func silenceLimit(for progress: Progress) -> Duration {
        guard let breakInstant, progress.instant <= breakInstant else { return silenceLimit }
        return Self.progressInterval
    }

    /// The process goes on that had not run for a while. It did not listen meanwhile, so silence counts from now on.
    func noteBreak(now: RunningClock.Instant) {
        guard case .transferring = phase else { return }
        breakInstant = now
        progressLookInstant = now + Self.progressInterval
        for attempt in attempts { attempt.transfer.progress.rest(at: now) }
        watchInstant = now
    }

    /// An attempt is given up that was silent for too long.
    func noteStall(of attempt: Attempt) -> AttemptFailure {
        let failure = AttemptFailure(
            StoreError(
                .timedOut,
                "nothing came from \(attempt.request.server) for "
                    + "\(silenceLimit(for: attempt.transfer.progress).components.seconds) seconds"),
            remedy: .backOff)
        if !attempt.transfer.progress.hasBegun, breakInstant == nil { wasSilent = true }
        return failure
    }

    /// A second attempt begins beside the first.
    func beginHedge(_ hedge: Attempt, now: RunningClock.Instant) {
        guard case .transferring(let attempt, _) = phase else { return }
        phase = .transferring(attempt, hedge: hedge)
        leader = nil
        isRace = !attempt.transfer.progress.hasBegun
        hedgeCount += 1
        slowInstant = nil
        watchInstant = now
    }

    /// Whether what the transfer brings is wanted: not where the other was faster.
    func admits(_ transfer: Transfer) -> Bool {
        leader == nil || leader == ObjectIdentifier(transfer)
    }

    /// The transfer is about to hand bytes over that are new: the other's are no longer wanted. Where the first attempt was slow or
    /// stalled in the middle of its body, it may bring more until the second one has overtaken it.
    func lead(_ transfer: Transfer) {
        if isHedged, !isRace, operation.isHedgeable, attempts.first?.transfer === transfer { return }
        leader = ObjectIdentifier(transfer)
    }

    /// The attempt that the other has overtaken.
    var overtaken: Attempt? {
        attempts.first { !admits($0.transfer) }
    }

    /// One of two attempts has ended, and the other goes on.
    ///
    /// - Returns: Whether there was another.
    func leave(_ attempt: Attempt, now: RunningClock.Instant) -> Bool {
        guard let other = attempts.first(where: { $0.transfer !== attempt.transfer }) else { return false }
        phase = .transferring(other, hedge: nil)
        watchAlone(from: now)
        return true
    }

    private func watchAlone(from now: RunningClock.Instant) {
        watchInstant = now
        isHedgeDue = false
        slowInstant = nil
    }
}
