internal import CCurl
internal import Logging
import ObjectStore
import SystemSupport

/// The loop of a network thread: drives curl's multi handle, and advances each request. Nothing in it is shared, so
/// nothing is locked.
final class NetworkLoop {
    private let context: ClientContext
    private let multi: UnsafeMutableRawPointer
    private let meter: RequestMeter
    private var transferLimit: TransferLimit
    /// The requests that have not ended, by id.
    private var pendingRequests: [UInt64: PendingRequest] = [:]
    /// The requests that wait for a free transfer.
    private var queue = RequestQueue()
    /// The requests in flight, by their easy handles.
    private var active: [UnsafeMutableRawPointer: PendingRequest] = [:]
    private var idleTransfers: [Transfer] = []
    /// The time before which no request needs a check; may be too early, never too late.
    private var nextInstant: RunningClock.Instant?
    /// The time of the store's last bytes.
    private var answeredAt: RunningClock.Instant?
    private var hedging = HedgingByKind()
    /// The requests with two attempts in flight.
    private var hedged: [PendingRequest] = []
    /// The time of the next check for hedges; `nil` while no attempt is in flight.
    private var hedgeLookInstant: RunningClock.Instant?
    private var generator = SystemRandomNumberGenerator()
    private var gapDetector = GapDetector()
    /// The end of the last gap that connections may not have survived.
    private var breakEnd: SuspendingClock.Instant?

    /// Creates a loop without requests.
    ///
    /// - Parameters:
    ///   - multi: curl's multi handle, which the caller must clean up after `endAll`.
    ///   - transferLimit: The maximum number of concurrent transfers.
    ///   - meter: The counters of requests and responses.
    init(context: ClientContext, multi: UnsafeMutableRawPointer, transferLimit: Int, meter: RequestMeter) {
        self.context = context
        self.multi = multi
        self.meter = meter
        self.transferLimit = TransferLimit(ceiling: transferLimit)
        _ = tractfs_multi_set_long(multi, CURLMOPT_PIPELINING, 0)
        // Keep as many connections open as may be used at once.
        _ = tractfs_multi_set_long(multi, CURLMOPT_MAXCONNECTS, transferLimit)
        _ = tractfs_multi_set_long(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, transferLimit)
    }

    /// Adds a request.
    func submit(_ pending: PendingRequest) {
        pendingRequests[pending.id] = pending
        queue.append(pending)
        watch(pending)
    }

    /// Cancels a request.
    func cancel(_ id: UInt64) {
        guard let pending = pendingRequests[id] else { return }
        end(pending, StoreError(.cancelled, "\(pending.operation.subject) is no longer wanted"))
    }

    /// Advances all requests, then waits for the network, a wakeup or the next deadline.
    func turn() {
        startQueued()
        let passStart = RunningClock.now
        var running: CInt = 0
        curl_multi_perform(multi, &running)
        noteGap(after: .zero)
        collectEnded()
        dropOvertaken(now: .now)
        tick(now: .now)
        lookForHedges(receivedUntil: passStart, now: .now)
        startQueued()
        noteLoad()
        let milliseconds = waitMilliseconds(now: .now)
        curl_multi_poll(multi, nil, 0, milliseconds, nil)
        noteGap(after: .milliseconds(milliseconds))
    }

    /// Checks whether this thread has run as expected. If not, the gap does not count for the requests in flight, and
    /// older connections are not used: the store or a middlebox may have dropped them silently.
    ///
    /// - Parameter wait: The intended wait since the last check.
    private func noteGap(after wait: Duration) {
        guard let gap = gapDetector.check(after: wait) else { return }
        // Also without requests: other threads have some, and must not use times that lie ahead of the clock.
        RunningClock.skip(gap.stopped)
        guard gap.duration >= Self.breakMin else { return }
        breakEnd = .now
        let now = RunningClock.now
        for pending in pendingRequests.values {
            pending.noteBreak(now: now)
            watch(pending)
        }
        context.logger.info(
            "the process did not run for a while", metadata: ["seconds": "\(gap.duration.components.seconds)"])
    }

    /// The minimum length of a gap that may have ended connections.
    private static let breakMin: Duration = .seconds(3)

    /// The maximum age of a connection, since S3 moves traffic by changing its addresses.
    private static let connectionAgeMax: Duration = .seconds(300)

    /// The age from which connections are not used, since they are from before the last gap. At least 1 s, since 0
    /// means no limit to curl.
    private var connectionAge: Duration {
        guard let breakEnd else { return Self.connectionAgeMax }
        // curl counts in whole seconds.
        return min(max(SuspendingClock.now - breakEnd - .seconds(1), .seconds(1)), Self.connectionAgeMax)
    }

    /// Ends all requests when the client is shut down.
    func endAll() {
        for pending in pendingRequests.values.sorted(by: { $0.id < $1.id }) {
            end(pending, StoreError(.cancelled, "the store's client was shut down"))
        }
        idleTransfers = []
    }

    private func noteLoad() {
        // Two transfers of one request count as one request in flight.
        let waitingCount = pendingRequests.count - (active.count - hedged.count)
        meter.noteLoad(active: active.count, waiting: max(waitingCount, 0), activeMax: transferLimit.count)
    }

    // MARK: - Attempts

    private func startQueued() {
        while transferLimit.admits(activeCount: active.count, now: .now), let id = queue.popFirst() {
            guard let pending = pendingRequests[id] else { continue }
            switch pending.phase {
            case .queued: start(pending)
            case .transferring(_, hedge: nil): hedge(pending, now: .now)
            case .transferring, .backingOff: break
            }
        }
    }

    private func start(_ pending: PendingRequest) {
        let now = RunningClock.now
        let preparation = context.prepare(pending.operation)
        makeSession(for: pending, now: now)
        switch preparation {
        case .request(let request):
            let isFirst = pending.attemptCount == 0
            if isFirst { hedging[pending.operation.kind].budget.earn() }
            meter.note(pending.operation) { counts in
                if isFirst { counts.requestCount += 1 } else { counts.retryCount += 1 }
            }
            pending.begin(send(request, of: pending, hedgeReason: nil, now: now), now: now)
        case .wait(let reason):
            pending.wait(until: now + Self.preparationInterval, for: reason)
        case .unresolved(let failure):
            meter.note(pending.operation) { $0.errorCounts[failure.error.code, default: 0] += 1 }
            return follow(pending.decide(after: failure, now: now, using: &generator), of: pending, after: failure)
        case .failure(let error):
            return end(pending, pending.lastError ?? error)
        }
        watch(pending)
    }

    /// The interval between checks for credentials or addresses: a small part of the time of a lookup.
    private static let preparationInterval: Duration = .milliseconds(10)

    /// Submits the request for a directory bucket's session, if one is needed. It ends a little before the request that
    /// needs it, which then has an error to report.
    private func makeSession(for pending: PendingRequest, now: RunningClock.Instant) {
        guard let operation = context.bucketSession?.takeRequest() else { return }
        let remaining = pending.deadline - now
        let deadline = pending.deadline - min(.seconds(1), remaining / 4)
        submit(PendingRequest(id: Self.sessionID, operation: operation, deadline: deadline, now: now))
    }

    /// The id of the only request for a session.
    private static let sessionID = UInt64.max

    /// Sends a request for the missing bytes. The response arrives in one of the next turns.
    private func send(
        _ request: ClientContext.SignedRequest, of pending: PendingRequest, hedgeReason: HedgeReason?,
        now: RunningClock.Instant
    ) -> Attempt {
        let transfer =
            idleTransfers.popLast()
            ?? Transfer(configuration: context.configuration, meter: meter, didReceive: context.didReceive)
        transfer.prepare(pending, request, connectionAge: connectionAge, now: now)
        active[transfer.easy] = pending
        if hedgeLookInstant == nil { hedgeLookInstant = now + Self.hedgeLookInterval }
        let code = curl_multi_add_handle(multi, transfer.easy)
        precondition(code == CURLM_OK, "curl_multi_add_handle: \(code.rawValue)")
        return Attempt(transfer: transfer, request: request, hedgeReason: hedgeReason)
    }

    private func collectEnded() {
        var remaining: CInt = 0
        while let message = curl_multi_info_read(multi, &remaining) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle,
                let pending = active[easy], let attempt = pending.attempts.first(where: { $0.transfer.easy == easy })
            else { continue }
            if pending.admits(attempt.transfer) {
                conclude(attempt, of: pending, message.pointee.data.result)
            } else {
                drop(attempt, of: pending, now: .now)
            }
        }
    }

    private func conclude(_ attempt: Attempt, of pending: PendingRequest, _ result: CURLcode) {
        // It may have begun and ended within one turn. The other one cannot continue from there.
        if let loser = pending.overtaken { drop(loser, of: pending, now: .now) }
        let outcome = Result { () throws(AttemptFailure) in
            try attempt.transfer.conclude(result, server: attempt.request.server, now: .now)
        }
        let sentAt = attempt.transfer.startInstant
        release(attempt.transfer)
        // The only timeout of curl is that for connecting.
        if result == CURLE_COULDNT_CONNECT || result == CURLE_OPERATION_TIMEDOUT {
            context.router.noteUnreachable(attempt.request.route)
        }
        switch outcome {
        case .success:
            answeredAt = .now
            hedging[pending.operation.kind].rates.noteEnd(
                byteCount: attempt.transfer.progress.byteCount, time: attempt.transfer.bodyTime(now: .now),
                start: sentAt,
                now: .now)
            noteProof(attempt.request)
            noteAnswer(sentAt: sentAt)
            record(attempt, of: pending, now: .now)
            end(pending, nil)
        case .failure(let failure) where failure.remedy == .backOff && !pending.operation.isAwaitingBytes:
            // The connection broke after the last needed byte.
            end(pending, nil)
        case .failure(let failure):
            meter.note(pending.operation) { $0.errorCounts[failure.error.code, default: 0] += 1 }
            let hiding = attempt.request.hidingSecrets(in: failure)
            if pending.operation.isSession, let session = context.bucketSession,
                session.indicatesNoSessions(hiding, signedFor: attempt.request.region)
            {
                session.becomeOrdinary()
                return end(pending, hiding.error)
            }
            let failure = learn(
                from: context.advised(hiding), of: attempt.request, subject: pending.operation.subject)
            switch failure.error.code {
            case .throttled: noteRefusal(failure, of: pending, sentAt: sentAt)
            case let code where code.provesCredentials: noteAnswer(sentAt: sentAt)
            default: break
            }
            // The other attempt has the same wrong form.
            if failure.remedy == .askOtherwise,
                let other = pending.attempts.first(where: { $0.transfer !== attempt.transfer })
            {
                drop(other, of: pending, now: .now)
            }
            // While another attempt is in flight, a transient failure does not count.
            if failure.remedy != .none, pending.leave(attempt, now: .now) { return watch(pending) }
            follow(pending.decide(after: failure, now: .now, using: &generator), of: pending, after: failure)
        }
    }

    private func follow(_ decision: PendingRequest.Decision, of pending: PendingRequest, after failure: AttemptFailure)
    {
        switch decision {
        case .end(let error):
            end(pending, error)
        case .retry(let wait):
            context.logger.debug(
                "an attempt failed, another follows",
                metadata: [
                    "subject": "\(pending.operation.subject)", "error": "\(failure.error)", "wait": "\(wait)",
                    "attempts": "\(pending.attemptCount)",
                ])
            pending.phase = .backingOff(until: .now + wait)
            watch(pending)
        }
    }

    /// Records a response other than throttling.
    private func noteAnswer(sentAt: RunningClock.Instant) {
        guard transferLimit.isLowered else { return transferLimit.noteAnswer(sentAt: sentAt) }
        transferLimit.noteAnswer(sentAt: sentAt)
        if !transferLimit.isLowered { context.noteRelief() }
    }

    /// Records that the store throttles.
    private func noteRefusal(_ failure: AttemptFailure, of pending: PendingRequest, sentAt: RunningClock.Instant) {
        let wasLowered = transferLimit.isLowered
        transferLimit.noteRefusal(
            sentAt: sentAt, wait: failure.retryAfter, timeout: pending.timeout, now: .now, using: &generator)
        if transferLimit.isLowered { context.noteThrottling(failure.error, isBeginning: !wasLowered) }
        // The loop must run when the pause is over.
        if let end = transferLimit.pauseEnd { nextInstant = min(nextInstant ?? end, end) }
    }

    /// Applies corrections from a response to all requests. A response to a request that was sent before they were
    /// known teaches nothing new.
    ///
    /// - Returns: The failure, without a remedy that is known not to help.
    private func learn(
        from failure: AttemptFailure, of request: ClientContext.SignedRequest, subject: String
    ) -> AttemptFailure {
        switch failure.remedy {
        case .useRegion(let region) where region != request.region: context.learn(region: region)
        case .setClock(let seconds): context.learn(clockOffsetSeconds: seconds)
        case .renewCredentials:
            guard let used = request.credentials,
                request.provider?.noteRefusal(
                    of: used, for: subject, StoreError(failure.error.code, failure.answer)) == true
            else { return AttemptFailure(failure.error) }
        // A refused HEAD has no error code: the reason may be the signature.
        case .none
        where failure.error.code.provesCredentials
            && !(request.method == "HEAD" && failure.error.code == .accessDenied):
            noteProof(request)
        case .none, .backOff, .useRegion, .askOtherwise: break
        }
        return failure
    }

    /// Records that the store has accepted the signature.
    private func noteProof(_ request: ClientContext.SignedRequest) {
        context.noteRegionVerified()
        guard request.isUnverified, let used = request.credentials else { return }
        request.provider?.noteSuccess(of: used)
    }

    /// Releases a transfer, and aborts it if it is still running.
    private func release(_ transfer: Transfer) {
        if let pending = active.removeValue(forKey: transfer.easy) { transfer.count(for: pending.operation) }
        curl_multi_remove_handle(multi, transfer.easy)
        transfer.clear()
        idleTransfers.append(transfer)
    }

    private func end(_ pending: PendingRequest, _ failure: StoreError?) {
        for attempt in pending.attempts where active[attempt.transfer.easy] === pending {
            release(attempt.transfer)
        }
        pendingRequests[pending.id] = nil
        noteEnd(of: pending, failure)
        pending.operation.finish(failure)
    }

    private func noteEnd(of pending: PendingRequest, _ failure: StoreError?) {
        guard let failure else { return }
        let isBegun = pending.attemptCount > 0
        meter.note(pending.operation) { counts in
            switch (failure.code, isBegun) {
            case (.cancelled, true): counts.cancelCount += 1
            case (.cancelled, false): break
            case (_, true): counts.failureCount += 1
            // No connection or no credentials in time.
            case (let code, false): counts.noteUnbegun(code)
            }
        }
    }

    // MARK: - Hedging

    /// The interval between checks for hedges: half of the shortest delay of a hedge.
    private static let hedgeLookInterval: Duration = .milliseconds(10)

    /// Checks, when it is time, which attempts need a hedge.
    ///
    /// - Parameter instant: The start of the last pass over all transfers. What had arrived by then has been received;
    ///   what arrived during the pass has not, so that is no silence of the store.
    private func lookForHedges(receivedUntil instant: RunningClock.Instant, now: RunningClock.Instant) {
        // The clock may have been set back since: an instant that is far ahead has come as well.
        guard let due = hedgeLookInstant, due <= now || due - now > Self.hedgeLookInterval else { return }
        hedgeLookInstant = active.isEmpty ? nil : now + Self.hedgeLookInterval
        let gap = now - due
        var rates: [RequestKind: [PeerRates.Sample]] = [:]
        for (easy, pending) in active {
            guard let transfer = pending.attempts.first(where: { $0.transfer.easy == easy })?.transfer else {
                continue
            }
            if gap >= Self.hedgeLookInterval { transfer.progress.passOver(gap, now: now) }
            if let rate = transfer.progress.rate(now: now) {
                rates[pending.operation.kind, default: []].append((rate, transfer.startInstant))
            }
        }
        for kind in [RequestKind.get, .list] { hedging[kind].rates.update(inFlight: rates[kind] ?? [], now: now) }
        for pending in active.values where pending.needsHedge(hedging[pending.operation.kind], now: instant) {
            // A third attempt replaces one of two, and needs no free transfer.
            if pending.isHedged { hedge(pending, now: now) } else { queue.appendHedge(pending) }
        }
    }

    /// Returns `true` if the budget has a hedge for this reason, or the attempt has been slow for long. A throttling
    /// store gets few hedges, and only for attempts that have been slow for a while: one that drips would take minutes.
    private func mayHedge(_ pending: PendingRequest, for reason: HedgeReason, now: RunningClock.Instant) -> Bool {
        let hasBudget = hedging[pending.operation.kind].budget.allows(reason)
        guard transferLimit.isLowered else {
            return hasBudget || pending.isSlow(for: PendingRequest.slowLimit, now: now)
        }
        return hedged.count <= transferLimit.count / 4
            && transferLimit.admits(activeCount: active.count - (pending.isHedged ? 1 : 0), now: now)
            && pending.isSlow(for: hasBudget ? PendingRequest.throttledSlowLimit : PendingRequest.slowLimit, now: now)
    }

    /// Sends a hedge for the missing bytes.
    private func hedge(_ pending: PendingRequest, now: RunningClock.Instant) {
        let kind = pending.operation.kind
        guard let reason = pending.takeHedgeReason(hedging[kind], now: now),
            mayHedge(pending, for: reason, now: now),
            // Last, since it may use the only trial of new credentials.
            case .request(let request) = context.prepare(pending.operation)
        else { return }
        hedging[kind].budget.spend(for: reason)
        if let attempt = pending.replaceable { drop(attempt, of: pending, now: now) }
        pending.beginHedge(send(request, of: pending, hedgeReason: reason, now: now), now: now)
        watch(pending)
        if !hedged.contains(where: { $0 === pending }) { hedged.append(pending) }
        meter.note(pending.operation) { $0.hedgeCount += 1 }
        context.logger.debug(
            "an attempt brings too little, asking a second time",
            metadata: ["subject": "\(pending.operation.subject)", "reason": "\(reason)"])
    }

    /// Aborts attempts that their hedges have overtaken.
    private func dropOvertaken(now: RunningClock.Instant) {
        guard !hedged.isEmpty else { return }
        for pending in hedged {
            if let loser = pending.overtaken, pendingRequests[pending.id] === pending {
                drop(loser, of: pending, now: now)
            }
        }
        hedged.removeAll { !$0.isHedged || pendingRequests[$0.id] !== $0 }
    }

    private func drop(_ loser: Attempt, of pending: PendingRequest, now: RunningClock.Instant) {
        record(loser, of: pending, now: now)
        if let reason = loser.hedgeReason, loser.transfer.isUnsent {
            hedging[pending.operation.kind].budget.refund(reason)
        }
        release(loser.transfer)
        _ = pending.leave(loser, now: now)
        watch(pending)
    }

    /// Records the latency of a response. Each attempt counts once, hedged or not. Hedges do not count, since late
    /// responses would then look early.
    private func record(_ attempt: Attempt, of pending: PendingRequest, now: RunningClock.Instant) {
        guard attempt.hedgeReason == nil else { return }
        hedging[pending.operation.kind].latency.record(attempt.transfer.timeToFirstBytes(now: now))
    }

    // MARK: - Time

    private func watch(_ pending: PendingRequest) {
        nextInstant = min(nextInstant ?? pending.nextInstant, pending.nextInstant)
    }

    /// Checks all requests when the first of their times has come: about once a second while attempts are in flight.
    /// Deadlines are far off.
    private func tick(now: RunningClock.Instant) {
        guard let instant = nextInstant, instant <= now else { return }
        for pending in pendingRequests.values {
            endStalled(of: pending, now: now)
            guard pendingRequests[pending.id] === pending else { continue }
            if pending.deadline <= now, !pending.operation.isAwaitingBytes {
                end(pending, nil)
            } else if pending.deadline <= now, !pending.extendDeadline(now: now, answeredAt: answeredAt) {
                end(pending, pending.giveUp(isThrottled: transferLimit.isLowered))
            } else if case .backingOff(let until) = pending.phase, until <= now {
                pending.phase = .queued
                queue.append(pending)
            }
        }
        nextInstant = pendingRequests.values.map(\.nextInstant).min()
        if let end = transferLimit.pauseEnd, end > now { nextInstant = min(nextInstant ?? end, end) }
    }

    /// Abandons attempts that have become silent. Their connections are closed, and the missing bytes are requested on
    /// others.
    private func endStalled(of pending: PendingRequest, now: RunningClock.Instant) {
        guard let stalled = pending.stalledAttempts(now: now) else { return }
        answeredAt = [answeredAt, pending.progressInstant].compactMap(\.self).max()
        // A response that has all of its bytes, but no end.
        if !stalled.isEmpty, !pending.operation.isAwaitingBytes { return end(pending, nil) }
        for attempt in stalled {
            let failure = pending.noteStall(of: attempt)
            meter.note(pending.operation) { $0.errorCounts[failure.error.code, default: 0] += 1 }
            release(attempt.transfer)
            if pending.leave(attempt, now: now) { continue }
            follow(pending.decide(after: failure, now: now, using: &generator), of: pending, after: failure)
        }
    }

    private func waitMilliseconds(now: RunningClock.Instant) -> CInt {
        // Submissions and cancellations wake the poll, and curl knows its own timers. While there are requests, gaps
        // must be found: a gap that is shorter than the wait cannot be.
        let limit: Duration = pendingRequests.isEmpty ? .seconds(10) : .seconds(1)
        guard let nextInstant = [nextInstant, hedgeLookInstant].compactMap(\.self).min() else {
            return CInt(limit / .milliseconds(1))
        }
        let wait = min(max(nextInstant - now, .zero), limit)
        return CInt((wait / .milliseconds(1)).rounded(.up))
    }
}

extension StoreError.Code {
    /// `true` if a store that sends this error has accepted the signature.
    fileprivate var provesCredentials: Bool {
        switch self {
        case .noSuchKey, .noSuchBucket, .accessDenied, .archived, .changed: true
        default: false
        }
    }
}
