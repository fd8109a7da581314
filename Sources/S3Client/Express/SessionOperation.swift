import ObjectStore
import SystemSupport

/// CreateSession, which gives credentials for one directory bucket ("CreateSession" in the Amazon S3 API Reference). Signed
/// with the account's credentials.
final class SessionOperation: Operation {
    private let completion: @Sendable (Result<MadeSession, StoreError>) -> Void
    private let bucket: String
    private var askedAt = ContinuousClock.now
    /// The time of the answer, by the store's clock.
    private var answerTime: Timestamp?
    private var document: [UInt8] = []
    private(set) var receivedByteCount = 0
    private var session: MadeSession?
    let subject: String

    /// Far beyond what S3 sends (2 KiB).
    private static let byteLimit = 64 * 1_024
    /// The time that a session holds where the answer doesn't say it in a way that can be true.
    private static let lifetimeAssumed = 300
    /// A session that holds longer than this is looked at as one that holds so long.
    private static let lifetimeMax = 43_200

    init(bucket: String, completion: @escaping @Sendable (Result<MadeSession, StoreError>) -> Void) {
        self.bucket = bucket
        self.completion = completion
        subject = "a session of s3://\(bucket)"
    }

    var kind: RequestKind { .list }
    var isSession: Bool { true }
    /// False: a session is made once, long before it is needed.
    var isHedgeable: Bool { false }
    var isAhead: Bool { false }
    var isAwaitingBytes: Bool { session == nil }
    var missingByteCount: Int { 0 }
    var requestOffset: Int { 0 }

    func request(at address: BucketAddress) -> HTTPRequest {
        askedAt = .now
        return HTTPRequest(
            host: address.host, path: address.path(of: .empty), query: [QueryItem("session", "")],
            // All that a mount asks for; a policy may allow no more.
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
        let fields = SessionDocument(parsing: document)
        document = []
        guard let id = fields.accessKeyID, let secret = fields.secretAccessKey, let token = fields.sessionToken,
            let account = try? Credentials(checking: id, secret, sessionToken: token, from: "CreateSession")
        else { throw Self.malformed(subject) }
        session = session(account, end: fields.expiry)
    }

    private func session(_ credentials: Credentials, end: Timestamp?) -> MadeSession {
        let time = answerTime ?? .now
        let lifetime = end.map { $0.seconds - time.seconds }.flatMap { $0 > 0 ? min($0, Self.lifetimeMax) : nil }
        let seconds = lifetime ?? Self.lifetimeAssumed
        return MadeSession(
            credentials: credentials.ofBucketSession, askedAt: askedAt, lifetime: .seconds(seconds),
            expiry: Timestamp(seconds: Timestamp.now.seconds + seconds))
    }

    /// Nothing of the answer is repeated: there may be half a secret in it.
    private static func malformed(_ subject: String) -> AttemptFailure {
        AttemptFailure(
            StoreError(.malformedResponse, "the store was asked for \(subject), and its answer holds no credentials"))
    }

    func finish(_ failure: StoreError?) {
        if let failure {
            completion(.failure(failure))
        } else if let session {
            completion(.success(session))
        }
    }
}

/// The answer to CreateSession.
struct SessionDocument {
    private(set) var accessKeyID: String?
    private(set) var secretAccessKey: String?
    private(set) var sessionToken: String?
    private(set) var expiry: Timestamp?

    /// Reads what can be read.
    init(parsing bytes: [UInt8]) {
        let elements = Elements()
        let reader = XMLReader(consumer: elements)
        // A document that breaks off lacks what is asked for then.
        try? reader.read(bytes.span.bytes, isLast: true)
        self = elements.isSession ? elements.document : SessionDocument()
    }

    private init() {}

    private final class Elements: XMLConsumer {
        var isSession = false
        var document = SessionDocument()

        func begin(_ element: XMLName, depth: Int) {
            if depth == 1 { isSession = element == "CreateSessionResult" }
        }

        func end(_ element: XMLName, depth: Int, text: [UInt8]) {
            guard depth == 3 else { return }
            let value = String(decoding: text, as: UTF8.self)
            switch element {
            case "AccessKeyId": document.accessKeyID = value
            case "SecretAccessKey": document.secretAccessKey = value
            case "SessionToken": document.sessionToken = value
            case "Expiration": document.expiry = Timestamp(iso8601: text)
            default: break
            }
        }
    }
}
