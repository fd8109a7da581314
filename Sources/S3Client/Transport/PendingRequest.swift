import ObjectStore
import SystemSupport

/// A request from its submission to its end: in the queue, and then attempts with waits between them. Lives on one
/// network thread.
///
/// An attempt that is silent or slow may be hedged: a second attempt for the missing bytes is sent beside it, and soon
/// one of them continues alone. The two count as one attempt.
final class PendingRequest {
    /// The state of the request.
    enum Phase {
        case queued
        case transferring(Attempt, hedge: Attempt?)
        case backingOff(until: RunningClock.Instant)
    }

    /// The consequence of a failed attempt.
    enum Decision: Equatable {
        case retry(after: Duration)
        case end(StoreError)
    }

    let id: UInt64
    let operation: any Operation
    /// The time at which the request fails. It moves while bytes arrive (`extendDeadline`).
    private(set) var deadline: RunningClock.Instant
    /// The time that the request was given at first.
    let timeout: Duration
    /// The time of the last bytes, as far as checks have seen it; `nil` for none.
    private(set) var progressInstant: RunningClock.Instant?
    /// The time without bytes after which an attempt is abandoned.
    private var silenceLimit = silenceLimitFirst
    /// The end of a suspension of this process during the attempt.
    private var breakInstant: RunningClock.Instant?
    /// `true` if an attempt was abandoned that had received nothing at all.
    private var wasSilent = false
    /// `true` if the next attempt needs a new connection: the last one used one that was silent or broke, and others
    /// may be dead too.
    private(set) var needsNewConnection = false
    /// The number of bytes that had arrived when the deadline was set.
    private var countedByteCount = 0
    var phase = Phase.queued
    /// The attempt of two that continues alone; `nil` while both are needed.
    private var leader: ObjectIdentifier?
    /// The time from which silence counts.
    private var watchInstant: RunningClock.Instant
    /// The number of hedges beside this attempt, one after the other.
    private var hedgeCount = 0
    /// `true` if a hedge is to be sent as soon as a transfer is free.
    private var isHedgeDue = false
    /// `true` if the hedge began before the first attempt had received anything.
    private var isRace = false
    /// The time since which the newest attempt has been slow.
    private var slowInstant: RunningClock.Instant?
    /// The common rate when an attempt was found slow. The fast transfers may end before the hedge is sent, and leave
    /// none for a comparison.
    private var fastRate = 0.0
    /// The number of bytes that had been passed on when the attempt began.
    private var startByteCount = 0
    private var backoff = Backoff()
    private(set) var attemptCount = 0
    /// The time of the next check for bytes.
    private var progressLookInstant: RunningClock.Instant?
    /// The error of the last attempt.
    private(set) var lastError: StoreError?
    /// The reason for which the next attempt waits for an address or for credentials.
    private var waitReason: StoreError?
    private var correctionCount = 0
    private var renewalCount = 0

    /// The maximum number of corrections: a region and a clock, and one more for a store that names two regions (in a
    /// redirect, and then for the signature).
    private static let correctionLimit = 3

    /// The maximum number of attempts with other credentials. Two may be replaced at once.
    private static let renewalLimit = 3
    /// The time that the wait grows by with each attempt with other credentials: credentials that are valid elsewhere
    /// may become valid here.
    private static let renewalWait: Duration = .milliseconds(250)

    /// The time for which an attempt may be silent at first: far more than S3 takes.
    private static let silenceLimitFirst: Duration = .seconds(5)

    /// The maximum of the silence limit, which doubles after each attempt without a response, so that a very slow store
    /// can respond.
    private static let silenceLimitMax: Duration = .seconds(20)

    /// The interval between checks for progress.
    private static let progressInterval: Duration = .seconds(1)

    /// The number of bytes that move the deadline: as many as any network delivers in a minute. A server that sends one
    /// byte a second does not reach it.
    private static let progressByteCount = 65_536

    /// Creates a request without attempts.
    ///
    /// - Parameter now: The time of the request. The time until `deadline` is its `timeout`.
    init(
        id: UInt64, operation: any Operation, deadline: RunningClock.Instant, now: RunningClock.Instant = .now
    ) {
        self.id = id
        self.operation = operation
        self.deadline = deadline
        timeout = deadline - now
        watchInstant = now
    }

    /// Moves a deadline that has passed: a slow network is not a failure while bytes arrive, and a GET that waits for a
    /// connection waits for such bytes. (A listing does not: it is small, and a reader waits for it.) The new deadline
    /// is the initial time of the request after the last bytes.
    ///
    /// - Parameter answeredAt: The time of the store's last bytes for any request.
    /// - Returns: `true` if the request may continue.
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
        guard let extended = lastInstant.map({ $0 + timeout }), extended > now else { return false }
        countedByteCount = receivedByteCount
        deadline = extended
        return true
    }

    /// The time of the next action, even if the network stays silent.
    var nextInstant: RunningClock.Instant {
        switch phase {
        case .backingOff(let until): min(until, deadline)
        case .transferring: min(progressLookInstant ?? deadline, deadline)
        case .queued: deadline
        }
    }

    /// Records the beginning of an attempt.
    func begin(_ attempt: Attempt, now: RunningClock.Instant) {
        attemptCount += 1
        needsNewConnection = false
        // Only once, even if two attempts were silent at the same time.
        if wasSilent { silenceLimit = min(silenceLimit * 2, Self.silenceLimitMax) }
        wasSilent = false
        breakInstant = nil
        progressLookInstant = now + Self.progressInterval
        // A request fails with the error of its last attempt.
        lastError = nil
        waitReason = nil
        phase = .transferring(attempt, hedge: nil)
        leader = nil
        startByteCount = operation.receivedByteCount
        hedgeCount = 0
        fastRate = 0
        watchAlone(from: now)
    }

    /// Waits for an address or for credentials, which the next attempt needs.
    ///
    /// - Parameter reason: The error if the request ends meanwhile; `nil` for none.
    func wait(until instant: RunningClock.Instant, for reason: StoreError?) {
        waitReason = reason
        phase = .backingOff(until: instant)
    }

    /// Decides the consequence of a failed attempt. Corrections from the response have been applied by now.
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
            let wait = max(
                backoff.next(isThrottled: failure.error.code == .throttled, using: &generator),
                failure.retryAfter ?? .zero)
            let hasTime = now + wait < deadline || extendDeadline(now: now, answeredAt: nil)
            return hasTime && now + wait < deadline ? .retry(after: wait) : .end(giveUp())
        }
    }

    /// Records the failure of an attempt that may be retried.
    private func noteLoss(of failure: AttemptFailure) {
        needsNewConnection = failure.error.code == .timedOut || failure.error.code == .unreachable
        if operation.receivedByteCount > startByteCount {
            silenceLimit = Self.silenceLimitFirst
            wasSilent = false
        }
        // Not for a few bytes, since a server that always breaks off after the first ones would get continuous
        // requests.
        if operation.receivedByteCount - startByteCount >= Self.progressByteCount { backoff.reset() }
    }

    /// The region that the current attempt was signed for. If the store names it again, there is no remedy.
    private var signedRegion: String? {
        guard case .transferring(let attempt, _) = phase else { return nil }
        return attempt.request.region
    }

    /// Returns the error of a request that has reached its deadline.
    ///
    /// - Parameter isThrottled: `true` if the store throttles.
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

extension PendingRequest {
    /// The attempts in flight, in their order.
    var attempts: [Attempt] {
        guard case .transferring(let attempt, let hedge) = phase else { return [] }
        return hedge.map { [attempt, $0] } ?? [attempt]
    }

    /// `true` while two attempts are in flight.
    var isHedged: Bool {
        guard case .transferring(_, .some) = phase else { return false }
        return true
    }

    /// Checks whether the attempts in flight need a hedge.
    ///
    /// - Returns: `true` the first time since `takeHedgeReason`.
    func needsHedge(_ hedging: Hedging, now: RunningClock.Instant) -> Bool {
        guard !isHedgeDue, hedgeReason(hedging, now: now) != nil else { return false }
        isHedgeDue = true
        return true
    }

    /// Returns the reason for the hedge that was due, if it still applies after the wait for a free transfer. If the
    /// hedge cannot be sent now, the attempts are checked again.
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
            hedgeDelay: hedging.latency.hedgeDelay, timeoutFactor: Hedging.timeoutFactor(hedgeCount: hedgeCount),
            now: now)
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

    /// The time after which a slow attempt is hedged without a budget: that of a silent attempt. It is slower than most
    /// others, so this adds little load to a store that becomes slow as a whole.
    static let slowLimit = silenceLimitFirst
    /// The time after which a slow attempt is hedged while the store throttles.
    static let throttledSlowLimit: Duration = .seconds(1)

    /// Returns `true` if the attempt has been slow for `limit`, doubled with each hedge.
    func isSlow(for limit: Duration, now: RunningClock.Instant) -> Bool {
        slowInstant.map { now - $0 >= limit * Hedging.timeoutFactor(hedgeCount: hedgeCount + 1) } ?? false
    }

    /// The attempt of two that a third one replaces: the one with the longer silence.
    var replaceable: Attempt? {
        isHedged ? attempts.min { $0.transfer.progress.instant < $1.transfer.progress.instant } : nil
    }

    /// Checks, when it is time, whether the attempts in flight receive bytes.
    ///
    /// - Returns: The attempts that have been silent for too long; `nil` if no check is due.
    func stalledAttempts(now: RunningClock.Instant) -> [Attempt]? {
        // The clock may have been set back, so a time that is far ahead counts as reached.
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

    /// Returns the time for which an attempt may be silent: after a suspension of the process the connection may be
    /// dead, and has one second to show that it is not.
    private func silenceLimit(for progress: Progress) -> Duration {
        guard let breakInstant, progress.instant <= breakInstant else { return silenceLimit }
        return Self.progressInterval
    }

    /// Records the end of a suspension of the process, from which silence counts.
    func noteBreak(now: RunningClock.Instant) {
        guard case .transferring = phase else { return }
        breakInstant = now
        progressLookInstant = now + Self.progressInterval
        for attempt in attempts { attempt.transfer.progress.rest(at: now) }
        watchInstant = now
    }

    /// Returns the failure of an attempt that was silent for too long.
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

    /// Records the beginning of a second attempt beside the first.
    func beginHedge(_ hedge: Attempt, now: RunningClock.Instant) {
        guard case .transferring(let attempt, _) = phase else { return }
        phase = .transferring(attempt, hedge: hedge)
        leader = nil
        isRace = !attempt.transfer.progress.hasBegun
        hedgeCount += 1
        slowInstant = nil
        watchInstant = now
    }

    /// Returns `true` if the bytes of a transfer are needed, and the other attempt has not overtaken it.
    func admits(_ transfer: Transfer) -> Bool {
        leader == nil || leader == ObjectIdentifier(transfer)
    }

    /// Makes a transfer with new bytes the leader, so that those of the other one are not needed any more. If the first
    /// attempt was slow or stalled in its body, it may continue until the second one overtakes it.
    func lead(_ transfer: Transfer) {
        if isHedged, !isRace, operation.isHedgeable, attempts.first?.transfer === transfer { return }
        leader = ObjectIdentifier(transfer)
    }

    /// The attempt that the other one has overtaken.
    var overtaken: Attempt? {
        attempts.first { !admits($0.transfer) }
    }

    /// Removes one of two attempts; the other one continues.
    ///
    /// - Returns: `true` if there is another attempt.
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
