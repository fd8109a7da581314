internal import Logging
import ObjectStore
import Synchronization

/// The credentials of a directory bucket's requests: those of a session (CreateSession), which is made with the account's
/// credentials and renewed while there are requests. An idle mount makes none.
///
/// A store at a custom endpoint may have a bucket of such a name without knowing sessions. Its requests are then signed with
/// the account's credentials, as for any other bucket.
final class BucketSession: CredentialsProvider {
    /// The credentials that make sessions.
    let account: any CredentialsProvider
    private let bucket: String
    /// The custom endpoint; `nil` for AWS's, where each directory bucket has sessions.
    private let endpoint: S3Endpoint?
    private let logger: Logger
    private let state = Mutex(BucketSessionState())

    init(of configuration: S3Configuration, account: any CredentialsProvider, logger: Logger) {
        self.account = account
        bucket = configuration.bucket
        endpoint = configuration.endpoint
        self.logger = logger
    }

    // MARK: What requests are signed with

    func current(for subject: String) -> CurrentCredentials {
        switch state.withLock({ $0.current(now: .now) }) {
        case .session(let credentials, let isUnproven): .ready(credentials, isUnproven: isUnproven)
        case .renewing: .renewing
        case .unavailable(let error): .unavailable(error)
        case .account: account.current(for: subject)
        }
    }

    func inUse() -> ResolvedCredentials? {
        let (session, isOrdinary) = state.withLock { ($0.inUse(now: .now), $0.isOrdinary) }
        if isOrdinary { return account.inUse() }
        return session.map {
            ResolvedCredentials(
                credentials: $0.credentials, source: "a session of s3://\(bucket)", expiry: $0.expiry, kind: .session)
        }
    }

    func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool {
        guard credentials.purpose == .bucketSession else {
            return account.noteRefusal(of: credentials, for: subject, error)
        }
        return state.withLock { $0.noteRefusal(of: credentials, for: subject, now: .now) }
    }

    func noteSuccess(of credentials: Credentials) {
        guard credentials.purpose == .bucketSession else { return account.noteSuccess(of: credentials) }
        state.withLock { $0.noteSuccess(of: credentials) }
    }

    /// Gives up a session that is to be renewed soon, so that the next request waits for a new one: for a signature that is to
    /// hold as long as it can.
    func retireOld() {
        state.withLock { $0.retireOld(now: .now) }
    }

    /// The reason why the last session could not be made, where another one may be soon.
    var trouble: StoreError? { state.withLock { $0.trouble } }

    /// True once a store at a custom endpoint has shown that it knows no sessions.
    var isOrdinary: Bool { state.withLock { $0.isOrdinary } }

    // MARK: How sessions are made

    /// Takes the request for a session, of which there is one in flight at a time.
    ///
    /// - Returns: The request that makes it; `nil` where none is needed.
    func takeRequest() -> SessionOperation? {
        guard state.withLock({ $0.takeRequest() }) else { return nil }
        return SessionOperation(bucket: bucket) { self.take($0) }
    }

    /// Returns true for a refused CreateSession that means that the store knows no sessions. AWS's stores know them.
    ///
    /// - Parameters:
    ///   - failure: The refusal, of which `answer` is what the store said.
    ///   - region: The region that the request was signed for.
    func showsUnknown(_ failure: AttemptFailure, signedFor region: String) -> Bool {
        guard endpoint != nil, state.withLock({ !$0.hasHadSession }) else { return false }
        switch (failure.error.code, failure.remedy) {
        case (_, .setClock), (_, .backOff): return false
        // The region is right, so it is the service that the store doesn't know.
        case (.wrongRegion, .useRegion(let other)): return other == region
        case (.refused, _), (.noSuchKey, _), (.noSuchBucket, _), (.malformedResponse, _), (.wrongRegion, _): return true
        // Such a store computes the signature for the service "s3".
        case (.credentialsRejected, _): return failure.answer.hasPrefix("SignatureDoesNotMatch")
        default: return false
        }
    }

    /// Reads the bucket as an ordinary one from now on.
    func becomeOrdinary() {
        guard state.withLock({ $0.becomeOrdinary() }) else { return }
        logger.notice(
            """
            s3://\(bucket) is named as a directory bucket, but \(endpoint?.description ?? "the store") has no CreateSession: \
            reading it as an ordinary bucket
            """)
    }

    private func take(_ result: Result<MadeSession, StoreError>) {
        switch state.withLock({ $0.take(result, now: .now) }) {
        case .none: break
        case .lost(let error):
            logger.error(
                "\(error); what is not cached can't be read until a session can be made, there is no need to mount again"
            )
        case .late(let error): logger.warning("the session of s3://\(bucket) can't be renewed yet: \(error)")
        case .regained: logger.notice("there is a session of s3://\(bucket) again")
        }
    }
}
