import ObjectStore

/// The state machine of a mount's credentials: which credentials requests are signed with, and when the sources are
/// asked for others. Has no thread and no clock.
///
/// A refusal of credentials that worked before means that they were replaced: a key was rotated, or a token expired.
/// The new ones may reach the file a second later, so the sources are asked repeatedly during `grace`, while requests
/// wait. After that no credentials are valid, and requests fail immediately. From then on a request causes the sources
/// to be asked again, at most once in `checkInterval`, and waits for the result. New credentials are used immediately;
/// with the same ones, one request tries whether the store accepts them again.
///
/// A store, or a proxy in front of it, may permanently refuse one object although the credentials are valid, and that
/// must not make all other requests fail. So a refusal of one object is not conclusive: until a second object is
/// refused, requests for other objects are let through as probes, one at a time. The success of a probe shows that the
/// credentials are valid, and only requests for the first object fail.
struct CredentialsState {
    typealias Instant = ContinuousClock.Instant

    /// The time that requests wait for new credentials after the store has refused the old ones.
    static let grace: Duration = .milliseconds(1_500)
    /// The interval at which the sources are asked during `grace`.
    static let graceInterval: Duration = .milliseconds(250)
    /// The time that requests wait beyond `grace` for a source that has not answered yet: a service may take seconds.
    static let replacementTimeout: Duration = .seconds(10)
    /// The interval at which the sources may be asked while no credentials are valid.
    static let checkInterval: Duration = .seconds(1)
    /// The time that a request waits for such a check: enough to read a file, but not for a service that does not
    /// respond.
    static let checkTimeout: Duration = .seconds(1)
    /// The time after which a trial that has not ended counts as abandoned, so that another may follow.
    static let trialTimeout: Duration = .seconds(10)
    /// The number of new credentials in a row that the store may refuse before the search for others ends.
    static let unverifiedRefusalLimit = 2

    /// The time after which another probe may follow one that has not ended.
    static let probeTimeout: Duration = .seconds(1)
    /// The time for which refusals of an object are known to concern this object alone.
    static let isolatedRefusalInterval: Duration = .seconds(10)

    private enum Phase {
        case inUse
        /// The store has refused the credentials, and others are being looked for.
        case renewing(StoreError, until: Instant)
        /// No credentials are valid. The sources are not asked before `nextCheck`.
        case unavailable(StoreError, nextCheck: Instant)
        /// No credentials were valid, and the sources are being asked again.
        case checking(StoreError, since: Instant)
        /// The sources have no others, so the next request tries the same ones.
        case awaitingTrial(StoreError)
        /// A request is trying the same ones.
        case trying(StoreError, since: Instant)
    }

    /// The refusals since the credentials were last in use.
    private struct Refusals {
        /// The objects that were refused; not extended beyond two, which are conclusive.
        var subjects: Set<String> = []
        /// The start of the probe in flight.
        var probeInstant: Instant?
        /// `true` if there are no credentials at all.
        var hasNoCredentials = false

        var isConclusive: Bool { hasNoCredentials || subjects.count > 1 }
    }

    /// The last credentials that a source gave.
    private(set) var resolved: ResolvedCredentials
    private(set) var schedule: RenewalSchedule
    private var phase = Phase.inUse
    /// `true` if the store has accepted the credentials; assumed for the first ones.
    private var isVerified = true
    private var unverifiedRefusalCount = 0
    private var refusals = Refusals()
    /// The objects that were refused while the credentials were valid for others, and the time when that was found.
    private var isolatedRefusals: (subjects: Set<String>, instant: Instant)?

    init(_ resolved: ResolvedCredentials) {
        self.resolved = resolved
        schedule = RenewalSchedule(expiry: resolved.expiry)
    }

    /// Creates the state of a mount that starts without credentials and looks for them.
    init(lookingSince now: Instant) {
        self.init(
            ResolvedCredentials(
                credentials: Credentials(accessKeyID: "", secretAccessKey: ""), source: "nowhere yet", expiry: nil,
                kind: .user))
        phase = .renewing(StoreError(.accessDenied, "there are no credentials"), until: now + Self.grace)
        refusals.hasNoCredentials = true
    }

    // MARK: Requests

    /// The credentials that the store is assumed to accept.
    var inUse: ResolvedCredentials? {
        if case .inUse = phase { resolved } else { nil }
    }

    /// Returns the credentials to sign a request with.
    ///
    /// - Parameter subject: The object that the request is for.
    /// - Returns: The credentials; `mustLookUp` is `true` if the caller must have the sources asked now.
    mutating func current(for subject: String, now: Instant) -> (CurrentCredentials, mustLookUp: Bool) {
        if case .inUse = phase { return (.ready(resolved.credentials, isUnverified: !isVerified), false) }
        if !refusals.isConclusive, !refusals.subjects.contains(subject) { return (probe(now: now), false) }
        return suspended(now: now)
    }

    /// Lets a request for an object that was not refused through as a probe, one at a time.
    private mutating func probe(now: Instant) -> CurrentCredentials {
        if let instant = refusals.probeInstant, now - instant < Self.probeTimeout { return .renewing }
        refusals.probeInstant = now
        return .ready(resolved.credentials, isUnverified: true)
    }

    /// Returns the answer to requests that may not be sent as probes.
    private mutating func suspended(now: Instant) -> (CurrentCredentials, mustLookUp: Bool) {
        switch phase {
        case .inUse:
            return (.ready(resolved.credentials, isUnverified: !isVerified), false)
        case .renewing(let error, let until):
            return (now - until < Self.replacementTimeout ? .renewing : .unavailable(error), false)
        case .unavailable(let error, let nextCheck):
            guard nextCheck <= now else { return (.unavailable(error), false) }
            phase = .checking(error, since: now)
            return (.renewing, true)
        case .checking(let error, let since):
            return (now - since < Self.checkTimeout ? .renewing : .unavailable(error), false)
        case .awaitingTrial(let error):
            phase = .trying(error, since: now)
            return (.ready(resolved.credentials, isUnverified: true), false)
        case .trying(let error, let since):
            if now - since < Self.checkTimeout { return (.renewing, false) }
            if now - since > Self.trialTimeout { phase = .unavailable(error, nextCheck: now) }
            return (.unavailable(error), false)
        }
    }

    /// The consequence of a refusal for the request.
    enum RefusalOutcome: Equatable {
        /// The request asks for `current` again.
        case retry
        /// The request asks for `current` again, and the sources are to be asked now.
        case lookUp
        /// The request fails.
        case fail
        /// The request fails, and is the first to do so: the error is to be logged.
        case failFirstReport(StoreError)
    }

    /// Records that the store has refused these credentials for `subject` with `error`.
    mutating func noteRefusal(
        of credentials: Credentials, for subject: String, _ error: StoreError, now: Instant
    ) -> RefusalOutcome {
        // The credentials were replaced in the meantime.
        guard credentials == resolved.credentials else { return .retry }
        if case .inUse = phase {
            if let isolatedRefusals, isolatedRefusals.subjects.contains(subject),
                now - isolatedRefusals.instant < Self.isolatedRefusalInterval
            {
                // A change may not have reached all machines of the store yet.
                return now - isolatedRefusals.instant < Self.grace ? .retry : .fail
            }
            refusals = Refusals(subjects: [subject])
            return handleRefusal(reason(error), now: now)
        }
        if !refusals.isConclusive { refusals.subjects.insert(subject) }
        refusals.probeInstant = nil
        guard case .trying = phase else { return .retry }
        phase = .unavailable(reason(error), nextCheck: now + Self.checkInterval)
        return .fail
    }

    private mutating func handleRefusal(_ reason: StoreError, now: Instant) -> RefusalOutcome {
        if !isVerified { unverifiedRefusalCount += 1 }
        guard unverifiedRefusalCount < Self.unverifiedRefusalLimit else {
            phase = .unavailable(reason, nextCheck: now + Self.checkInterval)
            return unverifiedRefusalCount == Self.unverifiedRefusalLimit ? .failFirstReport(reason) : .fail
        }
        phase = .renewing(reason, until: now + Self.grace)
        return .lookUp
    }

    /// Records that the store has accepted these credentials.
    ///
    /// - Returns: `true` if requests have failed before because no credentials were valid.
    mutating func noteSuccess(of credentials: Credentials, now: Instant) -> Bool {
        guard credentials == resolved.credentials else { return false }
        isVerified = true
        unverifiedRefusalCount = 0
        defer { phase = .inUse }
        switch phase {
        case .inUse: return false
        case .renewing:
            isolatedRefusals = (refusals.subjects, now)
            return false
        case .unavailable, .checking, .awaitingTrial, .trying:
            if !refusals.isConclusive { isolatedRefusals = (refusals.subjects, now) }
            return true
        }
    }

    /// Returns the refusal as an error for all requests.
    private func reason(_ error: StoreError) -> StoreError {
        StoreError(
            error.code,
            "the store refuses the credentials (\(resolved.credentials), from \(resolved.source)): \(error.message)")
    }

    // MARK: Lookups

    /// The reason for which the sources are asked.
    enum Lookup {
        /// The credentials expire soon.
        case renewal
        /// The store has refused the credentials.
        case replacement
        /// No credentials were valid, and a request waits.
        case check
    }

    /// Returns the lookup that is due; `nil` for none.
    func nextLookup(now: Instant) -> Lookup? {
        switch phase {
        case .inUse: schedule.isDue(now: now) ? .renewal : nil
        case .renewing: .replacement
        case .checking: .check
        case .unavailable, .awaitingTrial, .trying: nil
        }
    }

    /// Returns the time until the next lookup, unless a request needs one earlier.
    func wait(now: Instant) -> Duration {
        switch phase {
        case .renewing: Self.graceInterval
        case .checking: .zero
        case .inUse: schedule.wait(now: now)
        case .unavailable, .awaitingTrial, .trying: RenewalSchedule.waitMax
        }
    }

    /// The change that a result of the sources has caused.
    enum Change: Equatable {
        /// No change that is worth logging.
        case none
        /// The credentials were replaced.
        case replaced
        /// No credentials are valid any more.
        case lost(StoreError)
    }

    /// Takes the result of a lookup.
    mutating func take(_ result: Result<ResolvedCredentials, SettingsError>, now: Instant) -> Change {
        if case .success(let new) = result {
            let isNew = new.credentials != resolved.credentials
            let isRefusal = if case .inUse = phase { false } else { true }
            resolved = new
            schedule = RenewalSchedule(expiry: new.expiry, now: now)
            if isNew {
                isVerified = !isRefusal
                phase = .inUse
                isolatedRefusals = nil
                return .replaced
            }
        }
        return settle(result, now: now)
    }

    /// Handles a lookup that has found no other credentials.
    private mutating func settle(_ result: Result<ResolvedCredentials, SettingsError>, now: Instant) -> Change {
        let problem: SettingsError? = if case .failure(let error) = result { error } else { nil }
        switch phase {
        case .inUse:
            if problem != nil { schedule.noteFailure(now: now) }
        case .renewing(let error, let until):
            guard until <= now else { return .none }
            let reason = error.adding(problem)
            phase = .unavailable(reason, nextCheck: now + Self.checkInterval)
            return .lost(reason)
        case .checking(let error, _):
            phase =
                problem == nil
                ? .awaitingTrial(error) : .unavailable(error, nextCheck: now + Self.checkInterval)
        case .unavailable, .awaitingTrial, .trying: break
        }
        return .none
    }
}

extension StoreError {
    /// Adds the reason why no other credentials were found to a refusal.
    fileprivate func adding(_ problem: SettingsError?) -> StoreError {
        guard let problem else { return self }
        return StoreError(code, "\(message); and \(problem)", requestID: requestID)
    }
}
