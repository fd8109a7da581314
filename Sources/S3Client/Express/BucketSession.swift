internal import Logging
import ObjectStore
import Synchronization

/// The credentials of requests to a directory bucket: those of a session (CreateSession), which is created with the
/// account's credentials and renewed while there are requests. An idle mount creates no sessions.
///
/// A store at a custom endpoint may have a bucket of such a name but no sessions. Requests to it are then signed with
/// the account's credentials, as for any other bucket.
final class BucketSession: CredentialsProvider {
    /// The credentials that sessions are created with.
    let account: any CredentialsProvider
    private let bucket: String
    /// The custom endpoint; `nil` for AWS, where every directory bucket has sessions.
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
        case .session(let credentials, let isUnverified): .ready(credentials, isUnverified: isUnverified)
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

    /// Drops a session that is due for renewal, so that the next request waits for a new one: for a signature with the
    /// longest possible validity.
    func retireOld() {
        state.withLock { $0.retireOld(now: .now) }
    }

    /// The reason why the last attempt to create a session failed, if another one may soon succeed.
    var transientError: StoreError? { state.withLock { $0.transientError } }

    /// `true` once a store at a custom endpoint has shown that it does not support sessions.
    var isOrdinary: Bool { state.withLock { $0.isOrdinary } }

    // MARK: How sessions are made

    /// Starts a request for a session, if one is needed and none is in flight.
    ///
    /// - Returns: The request to send; `nil` if none is needed.
    func takeRequest() -> SessionOperation? {
        guard state.withLock({ $0.takeRequest() }) else { return nil }
        return SessionOperation(bucket: bucket) { self.take($0) }
    }

    /// Returns `true` if the failure of CreateSession shows that the store does not support sessions. AWS always does.
    ///
    /// - Parameters:
    ///   - failure: The failure, whose `answer` is the text of the store.
    ///   - region: The region that the request was signed for.
    func indicatesNoSessions(_ failure: AttemptFailure, signedFor region: String) -> Bool {
        guard endpoint != nil, state.withLock({ !$0.hasHadSession }) else { return false }
        switch (failure.error.code, failure.remedy) {
        case (_, .setClock), (_, .backOff): return false
        // The region was right, so the store does not know the service.
        case (.wrongRegion, .useRegion(let other)): return other == region
        case (.refused, _), (.noSuchKey, _), (.noSuchBucket, _), (.malformedResponse, _), (.wrongRegion, _): return true
        // A store without sessions computes the signature for the service "s3".
        case (.credentialsRejected, _): return failure.answer.hasPrefix("SignatureDoesNotMatch")
        default: return false
        }
    }

    /// Treats the bucket as an ordinary one from now on.
    func becomeOrdinary() {
        guard state.withLock({ $0.becomeOrdinary() }) else { return }
        logger.notice(
            """
            s3://\(bucket) is named as a directory bucket, but \(endpoint?.description ?? "the store") has no CreateSession: \
            reading it as an ordinary bucket
            """)
    }

    private func take(_ result: Result<CreatedSession, StoreError>) {
        switch state.withLock({ $0.take(result, now: .now) }) {
        case .none: break
        case .lost(let error):
            logger.error(
                "\(error); uncached data cannot be read until a session can be created; no remount is needed"
            )
        case .late(let error): logger.warning("cannot renew the session of s3://\(bucket) yet: \(error)")
        case .regained: logger.notice("session of s3://\(bucket) created; the bucket can be read again")
        }
    }
}
