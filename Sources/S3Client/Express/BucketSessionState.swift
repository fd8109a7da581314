import ObjectStore
import SystemSupport

/// A session that CreateSession has returned.
struct CreatedSession {
    let credentials: Credentials
    /// The time of the request, at which the session's lifetime begins at the earliest.
    let askedAt: ContinuousClock.Instant
    /// The lifetime of the session.
    let lifetime: Duration
    /// The expiry, by this machine's clock.
    let expiry: Timestamp
}

/// The state machine of a directory bucket's session. Has no thread and no clock.
///
/// A session is renewed half-way through its lifetime, while requests still use the old one. A request that finds no
/// session waits for one. A session that the store refuses is dropped, and the refused request is sent again with the
/// next one. A store may permanently refuse requests for one object although the session is valid. So a verified
/// session is kept when it is refused for the same object as the session before, and only that request fails.
struct BucketSessionState {
    typealias Instant = ContinuousClock.Instant

    /// The time for which requests fail with a permanent error before CreateSession is sent again.
    static let failureInterval: Duration = .seconds(1)
    /// The pause after a failed renewal while the old session is still valid.
    static let renewalPause: Duration = .seconds(5)
    /// The time for which the object of a refusal is remembered.
    static let refusalMemory: Duration = .seconds(10)
    /// The number of new sessions in a row that the store may refuse before a pause.
    static let unverifiedRefusalLimit = 2
    /// The last part of a session's lifetime, which is not used: requests that arrive after the end would be refused.
    private static let margin: Duration = .seconds(10)

    /// A session and the times of its use.
    struct Session {
        let credentials: Credentials
        let expiry: Timestamp
        var renewal: Instant
        let end: Instant
        /// `true` once the store has accepted the session.
        var isVerified = false

        fileprivate init(_ made: CreatedSession) {
            credentials = made.credentials
            expiry = made.expiry
            renewal = made.askedAt + made.lifetime / 2
            end = made.askedAt + made.lifetime - min(BucketSessionState.margin, made.lifetime / 10)
        }
    }

    private var session: Session?
    /// `true` while CreateSession is in flight.
    private var isMaking = false
    /// `true` if a request needs a new session and none is in flight.
    private var isWanted = false
    /// The earliest time of the next CreateSession.
    private var nextMaking: Instant?
    /// A failure that all requests get until `end`.
    private var failure: (error: StoreError, end: Instant)?
    /// The last failure, if it was a transient one.
    private(set) var transientError: StoreError?
    private var unverifiedRefusalCount = 0
    /// The last refusal for which a session was dropped.
    private var lastRefusal: (subject: String, instant: Instant)?
    /// `true` once the log has reported that there is no session.
    private var isLost = false
    /// `true` once there has been a session.
    private(set) var hasHadSession = false
    /// `true` once the store has shown that it does not support sessions.
    private(set) var isOrdinary = false

    /// The answer to a request that is to be signed.
    enum Answer {
        /// The session to sign with.
        case session(Credentials, isUnverified: Bool)
        /// A session is being created.
        case renewing
        /// No session can be created.
        case unavailable(StoreError)
        /// The store does not support sessions: the account's credentials are used.
        case account
    }

    /// Returns the credentials to sign with. If the session is missing or due for renewal, a new one is wanted.
    mutating func current(now: Instant) -> Answer {
        if isOrdinary { return .account }
        if let session, now < session.end {
            if session.renewal <= now { want(now: now) }
            return .session(session.credentials, isUnverified: !session.isVerified)
        }
        session = nil
        if let failure, now < failure.end { return .unavailable(failure.error) }
        want(now: now)
        return .renewing
    }

    private mutating func want(now: Instant) {
        if !isMaking, nextMaking.map({ $0 <= now }) ?? true { isWanted = true }
    }

    /// Returns the session if it is valid now.
    func inUse(now: Instant) -> Session? {
        session.flatMap { now < $0.end ? $0 : nil }
    }

    /// Drops a session that is due for renewal.
    mutating func retireOld(now: Instant) {
        if let session, session.renewal <= now { self.session = nil }
    }

    /// Starts to create a session, if one is wanted.
    ///
    /// - Returns: `true` if the caller must create it.
    mutating func takeRequest() -> Bool {
        guard isWanted, !isMaking else { return false }
        isWanted = false
        isMaking = true
        return true
    }

    /// Records that the store has refused a session for `subject`.
    ///
    /// - Returns: `true` if the request should be sent again.
    mutating func noteRefusal(of credentials: Credentials, for subject: String, now: Instant) -> Bool {
        // The session was replaced in the meantime.
        guard let session, credentials == session.credentials else { return true }
        if session.isVerified, let lastRefusal, lastRefusal.subject == subject,
            now - lastRefusal.instant < Self.refusalMemory
        {
            return false
        }
        self.session = nil
        lastRefusal = (subject, now)
        if session.isVerified { return true }
        unverifiedRefusalCount += 1
        guard unverifiedRefusalCount >= Self.unverifiedRefusalLimit else { return true }
        nextMaking = now + Self.failureInterval
        return false
    }

    /// Records that the store has accepted a session.
    mutating func noteSuccess(of credentials: Credentials) {
        guard credentials == session?.credentials else { return }
        session?.isVerified = true
        unverifiedRefusalCount = 0
    }

    /// A change to log.
    enum Change: Equatable {
        case none
        /// There is no session, and requests fail.
        case lost(StoreError)
        /// The renewal failed, but the old session is still valid.
        case late(StoreError)
        /// There is a session again.
        case regained
    }

    /// Takes the result of a request for a session.
    mutating func take(_ result: Result<CreatedSession, StoreError>, now: Instant) -> Change {
        isMaking = false
        isWanted = false
        if isOrdinary { return .none }
        switch result {
        case .success(let made):
            session = Session(made)
            hasHadSession = true
            (failure, transientError) = (nil, nil)
            defer { isLost = false }
            return isLost ? .regained : .none
        case .failure(let error):
            if error.code == .cancelled { return .none }
            if inUse(now: now) != nil {
                session?.renewal = now + Self.renewalPause
                return .late(error)
            }
            // Requests that have time left wait for the next session.
            if error.isTransient {
                transientError = error
                return .none
            }
            failure = (error, now + Self.failureInterval)
            defer { isLost = true }
            return isLost ? .none : .lost(error)
        }
    }

    /// Records that the store does not support sessions.
    ///
    /// - Returns: `true` the first time.
    mutating func becomeOrdinary() -> Bool {
        isMaking = false
        defer { isOrdinary = true }
        return !isOrdinary
    }
}

extension StoreError {
    /// `true` for an error that the next attempt may not encounter.
    fileprivate var isTransient: Bool {
        switch code {
        case .timedOut, .unreachable, .throttled, .serverFault: true
        default: false
        }
    }
}
