import ObjectStore
import SystemSupport

/// A CreateSession request, which returns credentials for one directory bucket ("CreateSession" in the Amazon S3 API
/// Reference). It is signed with the account's credentials.
final class SessionOperation: Operation {
    private let completion: @Sendable (Result<CreatedSession, StoreError>) -> Void
    private let bucket: String
    private var askedAt = ContinuousClock.now
    /// The time of the response, by the store's clock.
    private var answerTime: Timestamp?
    private var document: [UInt8] = []
    private(set) var receivedByteCount = 0
    private var session: CreatedSession?
    let subject: String

    /// Far beyond what S3 sends (2 KiB).
    private static let byteLimit = 64 * 1_024
    /// The lifetime of a session in seconds, if the response has no plausible expiry.
    private static let lifetimeAssumed = 300
    /// The maximum lifetime of a session in seconds; a longer one is cut to this.
    private static let lifetimeMax = 43_200

    init(bucket: String, completion: @escaping @Sendable (Result<CreatedSession, StoreError>) -> Void) {
        self.bucket = bucket
        self.completion = completion
        subject = "a session of s3://\(bucket)"
    }

    var kind: RequestKind { .list }
    var isSession: Bool { true }
    /// `false`, since a session is created once, long before it is needed.
    var isHedgeable: Bool { false }
    var isAhead: Bool { false }
    var isAwaitingBytes: Bool { session == nil }
    var missingByteCount: Int { 0 }
    var requestOffset: Int { 0 }

    func request(at address: BucketAddress) -> HTTPRequest {
        askedAt = .now
        return HTTPRequest(
            host: address.host, path: address.path(of: .empty), query: [QueryItem("session", "")],
            // A mount only reads, and a policy may allow no more.
            headers: [HTTPHeader("x-amz-create-session-mode", "ReadOnly")])
    }

    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure) {
        document = []
        answerTime = head.date.flatMap(Timestamp.init(httpDate:))
    }

    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure) {
        guard document.count + bytes.byteCount <= Self.byteLimit else { throw Self.malformed(subject) }
        bytes.withUnsafeBytes { document += $0 }
        receivedByteCount = max(receivedByteCount, document.count)
    }

    func complete() throws(AttemptFailure) {
        let fields = CredentialsXML(parsing: document, isSession: true)
        document = []
        guard let id = fields.accessKeyID, let secret = fields.secretAccessKey, let token = fields.sessionToken,
            let account = try? Credentials(checking: id, secret, sessionToken: token, from: "CreateSession")
        else { throw Self.malformed(subject) }
        session = session(account, end: fields.expiry)
    }

    private func session(_ credentials: Credentials, end: Timestamp?) -> CreatedSession {
        let time = answerTime ?? .now
        let lifetime = end.map { $0.seconds - time.seconds }.flatMap { $0 > 0 ? min($0, Self.lifetimeMax) : nil }
        let seconds = lifetime ?? Self.lifetimeAssumed
        return CreatedSession(
            credentials: credentials.ofBucketSession, askedAt: askedAt, lifetime: .seconds(seconds),
            expiry: Timestamp(seconds: Timestamp.now.seconds + seconds))
    }

    /// The response is not repeated in the error, since it may contain a part of a secret.
    private static func malformed(_ subject: String) -> AttemptFailure {
        AttemptFailure(
            StoreError(.malformedResponse, "the store's response for \(subject) holds no credentials"))
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(.failure(failure))
        } else if let session {
            completion(.success(session))
        }
    }
}
