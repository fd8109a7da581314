import ObjectStore
import SystemSupport

/// A session as CreateSession has given it.
struct MadeSession {
    let credentials: Credentials
    /// The time of the request: the session holds from then on at the earliest.
    let askedAt: ContinuousClock.Instant
    /// The time that it holds.
    let lifetime: Duration
    /// Its end, by this machine's clock.
    let expiry: Timestamp
}

/// The state of a directory bucket's session, and what requests are told. Knows no thread and no clock.
///
/// Half-way through its life a session is renewed beside the requests, which go on with the old one. A request that finds
/// none waits for one. A session that the store refuses is dropped, and a request that met the refusal is sent again with the
/// next one. A store may refuse one object's requests for ever although the session is good. So a session that the store has
/// taken for others stays where it is refused for what the one before was refused for, and that request fails alone.
struct BucketSessionState {
    typealias Instant = ContinuousClock.Instant

    /// The time for which requests fail with a lasting failure before CreateSession is sent again.
    static let failureInterval: Duration = .seconds(1)
    /// The pause after a renewal that failed while the old session still holds.
    static let renewalPause: Duration = .seconds(5)
    /// The time for which the subject of a refusal is remembered.
    static let refusalMemory: Duration = .seconds(10)
    /// The number of new sessions in a row that the store may refuse before there is a pause.
    static let unprovenRefusalLimit = 2
    /// Requests on their way at the end would be refused: the last part of a session's life is not used.
    private static let margin: Duration = .seconds(10)

    /// A session, and when it is used.
    struct Session {
        let credentials: Credentials
        let expiry: Timestamp
        var renewal: Instant
        let end: Instant
        /// True once the store has accepted it.
        var isProven = false

        fileprivate init(_ made: MadeSession) {
            credentials = made.credentials
            expiry = made.expiry
            renewal = made.askedAt + made.lifetime / 2
            end = made.askedAt + made.lifetime - min(BucketSessionState.margin, made.lifetime / 10)
        }
    }

    private var session: Session?
    /// True while CreateSession is in flight.
    private var isMaking = false
    /// True when a request needs a new session, and none is in flight.
    private var isWanted = false
    /// No session is made before.
    private var nextMaking: Instant?
    /// A failure that requests are told, and until when.
    private var failure: (error: StoreError, end: Instant)?
    /// The last failure, where it may pass.
    private(set) var trouble: StoreError?
    private var unprovenRefusalCount = 0
    /// The last refusal that a session was dropped for.
    private var lastRefusal: (subject: String, instant: Instant)?
    /// True once the log has said that there is no session.
    private var isLost = false
    /// True once there was a session.
    private(set) var hasHadSession = false
    /// True once the store has shown that it knows no sessions.
    private(set) var isOrdinary = false

    /// The answer to a request that is to be signed.
    enum Answer {
        /// Sign with this session.
        case session(Credentials, isUnproven: Bool)
        /// There soon is one.
        case renewing
        /// There is none to be had.
        case unavailable(StoreError)
        /// There are no sessions: sign with the account's credentials.
        case account
    }

    /// Returns the credentials to sign with now. A session that is missing or old is to be requested.
    mutating func current(now: Instant) -> Answer {
        if isOrdinary { return .account }
        if let session, now < session.end {
            if session.renewal <= now { want(now: now) }
            return .session(session.credentials, isUnproven: !session.isProven)
        }
        session = nil
        if let failure, now < failure.end { return .unavailable(failure.error) }
        want(now: now)
        return .renewing
    }

    private mutating func want(now: Instant) {
        if !isMaking, nextMaking.map({ $0 <= now }) ?? true { isWanted = true }
    }

    /// The session that holds now.
    func inUse(now: Instant) -> Session? {
        session.flatMap { now < $0.end ? $0 : nil }
    }

    /// Drops a session that is to be renewed.
    mutating func retireOld(now: Instant) {
        if let session, session.renewal <= now { self.session = nil }
    }

    /// Begins to make a session.
    ///
    /// - Returns: True where the caller is to make it.
    mutating func takeRequest() -> Bool {
        guard isWanted, !isMaking else { return false }
        isWanted = false
        isMaking = true
        return true
    }

    /// The store refuses a session for `subject`.
    ///
    /// - Returns: True where the request should be sent again.
    mutating func noteRefusal(of credentials: Credentials, for subject: String, now: Instant) -> Bool {
        // There is another one by now.
        guard let session, credentials == session.credentials else { return true }
        if session.isProven, let lastRefusal, lastRefusal.subject == subject,
            now - lastRefusal.instant < Self.refusalMemory
        {
            return false
        }
        self.session = nil
        lastRefusal = (subject, now)
        if session.isProven { return true }
        unprovenRefusalCount += 1
        guard unprovenRefusalCount >= Self.unprovenRefusalLimit else { return true }
        nextMaking = now + Self.failureInterval
        return false
    }

    /// The store takes a session.
    mutating func noteSuccess(of credentials: Credentials) {
        guard credentials == session?.credentials else { return }
        session?.isProven = true
        unprovenRefusalCount = 0
    }

    /// A change that the log tells.
    enum Change: Equatable {
        case none
        /// There is none, and requests fail.
        case lost(StoreError)
        /// The old one is good for a while yet.
        case late(StoreError)
        /// There is one again.
        case regained
    }

    /// Takes the result of a request for a session.
    mutating func take(_ result: Result<MadeSession, StoreError>, now: Instant) -> Change {
        isMaking = false
        isWanted = false
        if isOrdinary { return .none }
        switch result {
        case .success(let made):
            session = Session(made)
            hasHadSession = true
            (failure, trouble) = (nil, nil)
            defer { isLost = false }
            return isLost ? .regained : .none
        case .failure(let error):
            if error.code == .cancelled { return .none }
            if inUse(now: now) != nil {
                session?.renewal = now + Self.renewalPause
                return .late(error)
            }
            // A request that has time left waits for the next session.
            if error.mayPass {
                trouble = error
                return .none
            }
            failure = (error, now + Self.failureInterval)
            defer { isLost = true }
            return isLost ? .none : .lost(error)
        }
    }

    /// The store knows no sessions.
    ///
    /// - Returns: True the first time.
    mutating func becomeOrdinary() -> Bool {
        isMaking = false
        defer { isOrdinary = true }
        return !isOrdinary
    }
}

extension StoreError {
    /// True for an error that the next attempt may not meet.
    fileprivate var mayPass: Bool {
        switch code {
        case .timedOut, .unreachable, .throttled, .serverFault: true
        default: false
        }
    }
}
