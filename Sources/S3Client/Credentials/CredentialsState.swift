import ObjectStore

/// Where the credentials of a session stand, and what requests are told. Knows no thread and no clock.
///
/// When the store refuses credentials that it took before, they were replaced: a key was made anew, a token has ended.
/// Whoever replaces them may be a second late in writing the file, so the sources are asked again and again for `grace`,
/// while requests wait. After that there are no valid credentials, and requests fail at once. From then on the sources are
/// asked again when a request comes, once in `checkInterval`; that request waits for the answer. Other credentials are used
/// at once; with the same ones, one request tries whether the store takes them again.
///
/// A store, or something before it, may refuse one object for ever although the credentials are good, and that must not
/// take the others with it. So credentials are only in doubt until they were refused for a second object: until then a
/// request for another object may go on, one at a time, as a witness; its success ends the doubt, and the first object's
/// requests fail alone.
struct CredentialsState {
    typealias Instant = ContinuousClock.Instant

    /// How long requests wait for credentials to be replaced after the store refused the old ones.
    static let grace: Duration = .milliseconds(1_500)
    /// How often the sources are asked during `grace`.
    static let graceInterval: Duration = .milliseconds(250)
    /// How much longer requests wait for a source that is still being asked then: a service may take seconds.
    static let replacementPatience: Duration = .seconds(10)
    /// How often the sources are asked while there is nothing valid.
    static let checkInterval: Duration = .seconds(1)
    /// How long a request waits for that: a read of a file takes nothing, a service that doesn't answer takes longer.
    static let checkPatience: Duration = .seconds(1)
    /// A trial that has not ended by then may have been given up; another follows.
    static let trialPatience: Duration = .seconds(10)
    /// New credentials that the store refuses too, one after the other: then it isn't a matter of their age.
    static let unprovenRefusalLimit = 2

    /// How long a witness is waited for before there is another.
    static let witnessPatience: Duration = .seconds(1)
    /// How long what was refused alone may be refused without new doubt.
    static let vouchedInterval: Duration = .seconds(10)

    private enum Phase {
        case inUse
        /// They were refused, and others are looked for.
        case renewing(StoreError, until: Instant)
        /// There are no valid ones, and so it stays until `nextCheck`.
        case unavailable(StoreError, nextCheck: Instant)
        /// There were none, and others are looked for.
        case checking(StoreError, since: Instant)
        /// There are no others, so the next request tries these.
        case awaitingTrial(StoreError)
        /// A request tries them.
        case trying(StoreError, since: Instant)
    }

    /// What the credentials were refused for since they were last in use.
    private struct Doubt {
        /// Two are as good as many.
        var subjects: Set<String> = []
        /// When the witness under way began.
        var witnessInstant: Instant?
        /// Whether there is nothing that any request could be signed with.
        var isCertain = false

        var isSettled: Bool { isCertain || subjects.count > 1 }
    }

    /// The credentials that were found last.
    private(set) var resolved: ResolvedCredentials
    private(set) var schedule: RenewalSchedule
    private var phase = Phase.inUse
    /// Whether the store is known to take them; assumed of the first ones.
    private var isProven = true
    private var unprovenRefusalCount = 0
    private var doubt = Doubt()
    /// What was refused while the credentials were good for something else, and when that was seen.
    private var vouched: (subjects: Set<String>, instant: Instant)?

    init(_ resolved: ResolvedCredentials) {
        self.resolved = resolved
        schedule = RenewalSchedule(expiry: resolved.expiry)
    }

    /// The state of a mount whose credentials are still to be looked for, and which must not fail without.
    init(lookingSince now: Instant) {
        self.init(
            ResolvedCredentials(
                credentials: Credentials(accessKeyID: "", secretAccessKey: ""), source: "nowhere yet", expiry: nil,
                kind: .user))
        phase = .renewing(StoreError(.accessDenied, "there are no credentials"), until: now + Self.grace)
        doubt.isCertain = true
    }

    // MARK: What requests are told, and tell

    /// What the store is thought to take.
    var inUse: ResolvedCredentials? {
        if case .inUse = phase { resolved } else { nil }
    }

    /// What to sign with now, and whether the sources are to be asked now.
    ///
    /// - Parameter subject: What the request asks for.
    mutating func current(for subject: String, now: Instant) -> (CurrentCredentials, hasErrand: Bool) {
        if case .inUse = phase { return (.ready(resolved.credentials, isUnproven: !isProven), false) }
        if !doubt.isSettled, !doubt.subjects.contains(subject) { return (witness(now: now), false) }
        return suspended(now: now)
    }

    /// What a request is told that asks for something for which the credentials were not refused.
    private mutating func witness(now: Instant) -> CurrentCredentials {
        if let instant = doubt.witnessInstant, now - instant < Self.witnessPatience { return .renewing }
        doubt.witnessInstant = now
        return .ready(resolved.credentials, isUnproven: true)
    }

    /// What the others are told.
    private mutating func suspended(now: Instant) -> (CurrentCredentials, hasErrand: Bool) {
        switch phase {
        case .inUse:
            return (.ready(resolved.credentials, isUnproven: !isProven), false)
        case .renewing(let error, let until):
            return (now - until < Self.replacementPatience ? .renewing : .unavailable(error), false)
        case .unavailable(let error, let nextCheck):
            guard nextCheck <= now else { return (.unavailable(error), false) }
            phase = .checking(error, since: now)
            return (.renewing, true)
        case .checking(let error, let since):
            return (now - since < Self.checkPatience ? .renewing : .unavailable(error), false)
        case .awaitingTrial(let error):
            phase = .trying(error, since: now)
            return (.ready(resolved.credentials, isUnproven: true), false)
        case .trying(let error, let since):
            if now - since < Self.checkPatience { return (.renewing, false) }
            if now - since > Self.trialPatience { phase = .unavailable(error, nextCheck: now) }
            return (.unavailable(error), false)
        }
    }

    /// What follows a refusal.
    enum Consequence: Equatable {
        /// The request should ask for `current` again.
        case askAgain
        /// The same, and the sources are to be asked now.
        case replace
        /// There is nothing else to be had, as has been known for a while.
        case giveUp
        /// There is nothing else to be had, which nobody has been told yet.
        case giveUpNews(StoreError)
    }

    /// The store doesn't take these credentials for `subject`; `error` is what it says.
    mutating func noteRefusal(
        of credentials: Credentials, for subject: String, _ error: StoreError, now: Instant
    ) -> Consequence {
        // Others were found meanwhile.
        guard credentials == resolved.credentials else { return .askAgain }
        if case .inUse = phase {
            if let vouched, vouched.subjects.contains(subject), now - vouched.instant < Self.vouchedInterval {
                // A store of many machines may not know of a change everywhere at once.
                return now - vouched.instant < Self.grace ? .askAgain : .giveUp
            }
            doubt = Doubt(subjects: [subject])
            return beginDoubt(reason(error), now: now)
        }
        if !doubt.isSettled { doubt.subjects.insert(subject) }
        doubt.witnessInstant = nil
        guard case .trying = phase else { return .askAgain }
        phase = .unavailable(reason(error), nextCheck: now + Self.checkInterval)
        return .giveUp
    }

    private mutating func beginDoubt(_ reason: StoreError, now: Instant) -> Consequence {
        if !isProven { unprovenRefusalCount += 1 }
        guard unprovenRefusalCount < Self.unprovenRefusalLimit else {
            phase = .unavailable(reason, nextCheck: now + Self.checkInterval)
            return unprovenRefusalCount == Self.unprovenRefusalLimit ? .giveUpNews(reason) : .giveUp
        }
        phase = .renewing(reason, until: now + Self.grace)
        return .replace
    }

    /// The store takes these credentials.
    ///
    /// - Returns: Whether somebody was told that they aren't valid.
    mutating func noteSuccess(of credentials: Credentials, now: Instant) -> Bool {
        guard credentials == resolved.credentials else { return false }
        isProven = true
        unprovenRefusalCount = 0
        defer { phase = .inUse }
        switch phase {
        case .inUse: return false
        case .renewing:
            vouched = (doubt.subjects, now)
            return false
        case .unavailable, .checking, .awaitingTrial, .trying:
            if !doubt.isSettled { vouched = (doubt.subjects, now) }
            return true
        }
    }

    /// The refusal as all requests are told it.
    private func reason(_ error: StoreError) -> StoreError {
        StoreError(
            error.code,
            "the store refuses the credentials (\(resolved.credentials), from \(resolved.source)): \(error.message)")
    }

    // MARK: What the sources are asked, and answer

    /// What the sources are to be asked for.
    enum Errand {
        /// For others before these end.
        case renewal
        /// For others than those that were refused.
        case replacement
        /// Whether there is something valid by now.
        case check
    }

    /// What there is to do.
    func errand(now: Instant) -> Errand? {
        switch phase {
        case .inUse: schedule.isDue(now: now) ? .renewal : nil
        case .renewing: .replacement
        case .checking: .check
        case .unavailable, .awaitingTrial, .trying: nil
        }
    }

    /// How long there is nothing to do, unless requests say otherwise.
    func wait(now: Instant) -> Duration {
        switch phase {
        case .renewing: Self.graceInterval
        case .checking: .zero
        case .inUse: schedule.wait(now: now)
        case .unavailable, .awaitingTrial, .trying: RenewalSchedule.waitMax
        }
    }

    /// What an answer of the sources has changed.
    enum Change: Equatable {
        /// Nothing that a person would want to know.
        case none
        /// There are other credentials.
        case replaced
        /// There are none that are valid.
        case lost(StoreError)
    }

    /// Takes what the sources have answered.
    mutating func take(_ answer: Result<ResolvedCredentials, SettingsError>, now: Instant) -> Change {
        if case .success(let new) = answer {
            let isNew = new.credentials != resolved.credentials
            let isRefusal = if case .inUse = phase { false } else { true }
            resolved = new
            schedule = RenewalSchedule(expiry: new.expiry, now: now)
            if isNew {
                isProven = !isRefusal
                phase = .inUse
                vouched = nil
                return .replaced
            }
        }
        return settle(answer, now: now)
    }

    /// There are no others.
    private mutating func settle(_ answer: Result<ResolvedCredentials, SettingsError>, now: Instant) -> Change {
        let problem: SettingsError? = if case .failure(let error) = answer { error } else { nil }
        switch phase {
        case .inUse:
            if problem != nil { schedule.noteFailure(now: now) }
        case .renewing(let error, let until):
            guard until <= now else { return .none }
            let told = error.adding(problem)
            phase = .unavailable(told, nextCheck: now + Self.checkInterval)
            return .lost(told)
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
    /// The refusal, and why there are no other credentials.
    fileprivate func adding(_ problem: SettingsError?) -> StoreError {
        guard let problem else { return self }
        return StoreError(code, "\(message); and \(problem)", requestID: requestID)
    }
}
