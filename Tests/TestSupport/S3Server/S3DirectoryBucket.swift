import Glibc
import ObjectStore
import SystemSupport

/// The rules of a directory bucket (S3 Express One Zone): sessions by CreateSession, requests that are signed with
/// one for the service "s3express", listings by folder and without `start-after`.
///
/// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateSession.html
public struct S3DirectoryBucket: Sendable {
    /// Keys, and the token that goes with them.
    public struct Keys: Sendable {
        /// The access key's id.
        public var id: String
        /// The secret.
        public var secret: String
        /// The token; `nil` for a user's own keys.
        public var token: String?

        /// Keys.
        public init(id: String, secret: String, token: String? = nil) {
            (self.id, self.secret, self.token) = (id, secret, token)
        }
    }

    private struct Session: Sendable {
        let keys: Keys
        let end: Int
    }

    /// The keys that sessions are made with.
    public var account: Keys
    /// The number of seconds that a session holds.
    public var lifetimeSeconds = 300
    /// The seconds by which the store's clock is ahead of this machine's.
    public var clockOffsetSeconds = 0
    /// False to refuse CreateSession.
    public var allowsSessions = true
    /// True to refuse each request with a session.
    public var refusesSessions = false
    /// True to list in another order than that of the keys.
    public var isShuffled: Bool
    /// The signatures that were wrong so far, and why: for the message of a test.
    public private(set) var complaints: [String] = []
    private var sessions: [Session] = []
    /// The number of sessions that were ever made.
    private var madeCount = 0

    /// A directory bucket.
    public init(account: Keys, isShuffled: Bool = false) {
        self.account = account
        self.isShuffled = isShuffled
    }

    /// The beginning of each secret of a session.
    public static let secretPrefix = "hush"

    /// Ends all sessions before their time.
    public mutating func endSessions() {
        sessions = []
    }

    /// The answer to a request for a session, or the refusal of another; `nil` where it is to be answered as ever.
    mutating func response(to request: S3Request) -> S3Response? {
        request.kind == .session ? session(for: request) : refusal(of: request)
    }

    private mutating func session(for request: S3Request) -> S3Response {
        if let refusal = refusal(of: request, signedWith: account, tokenName: "x-amz-security-token") { return refusal }
        guard allowsSessions, request.headers["x-amz-create-session-mode"] == "ReadOnly" else {
            return .error(403, "AccessDenied", "User is not authorized to perform: s3express:CreateSession")
        }
        madeCount += 1
        let number = madeCount + Int(time(nil) % 100_000) * 1_000
        let prefix = Self.secretPrefix
        let keys = Keys(
            id: "ASIASESSION\(number)", secret: "\(prefix)Secret/\(number)",
            token: "\(prefix)Token+\(number)/with/what+tokens/have==")
        let end = time(nil) + lifetimeSeconds
        sessions.append(Session(keys: keys, end: end))
        let expiration = isoDate(Timestamp(seconds: end + clockOffsetSeconds))
        return S3Response(
            status: 200,
            headers: [
                "Content-Type": "application/xml", "Date": httpDate(Timestamp(seconds: time(nil) + clockOffsetSeconds)),
            ],
            body: .text(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <CreateSessionResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials>\
                <SessionToken>\(keys.token ?? "")</SessionToken><SecretAccessKey>\(keys.secret)</SecretAccessKey>\
                <AccessKeyId>\(keys.id)</AccessKeyId><Expiration>\(expiration)</Expiration>\
                </Credentials></CreateSessionResult>
                """))
    }

    private mutating func refusal(of request: S3Request) -> S3Response? {
        guard let id = request.accessKeyID else { return .error(403, "AccessDenied", "Access Denied") }
        guard let session = sessions.first(where: { $0.keys.id == id }), !refusesSessions else {
            return .error(403, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
        guard time(nil) < session.end else { return .error(400, "ExpiredToken", "The provided token has expired.") }
        if let refusal = refusal(of: request, signedWith: session.keys, tokenName: "x-amz-s3session-token") {
            return refusal
        }
        return request.kind == .list ? refusal(ofListing: request) : nil
    }

    private mutating func refusal(
        of request: S3Request, signedWith keys: Keys, tokenName: String
    ) -> S3Response? {
        guard request.accessKeyID == keys.id else {
            return .error(
                403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
        }
        let tokens = ["x-amz-security-token", "x-amz-s3session-token"].map { name in
            request.headers[name] ?? request.queryText(name == tokenName ? tokenInQuery(name) : name)
        }
        guard tokens == (tokenName == "x-amz-security-token" ? [keys.token, nil] : [nil, keys.token]) else {
            complaints.append("the token of \(request.target)")
            return .error(403, "InvalidToken", "The provided token is malformed or otherwise invalid.")
        }
        guard request.signedService == "s3express", request.isSigned(with: keys.secret) else {
            complaints.append("the signature of \(request.target)")
            return .error(403, "SignatureDoesNotMatch", "The request signature we calculated does not match.")
        }
        return nil
    }

    private func tokenInQuery(_ name: String) -> String {
        name == "x-amz-s3session-token" ? "X-Amz-S3session-Token" : "X-Amz-Security-Token"
    }

    private func refusal(ofListing request: S3Request) -> S3Response? {
        if request.query["start-after"] != nil {
            return .error(
                501, "NotImplemented", "A header or query you provided implies functionality that is not implemented")
        }
        if !request.key.bytes.isEmpty, !request.key.endsInDelimiter {
            return .error(
                400, "InvalidRequest", "This bucket does not support a prefix that does not end in a delimiter")
        }
        return nil
    }
}

extension StoreContents {
    /// One page of a listing whose items have an order that has nothing to do with that of their keys, the same on each
    /// call.
    func shuffledPage(_ request: ListRequest, pageLimit: Int) -> ListPage? {
        var whole = request
        (whole.continuation, whole.limit) = (nil, .max)
        var all = page(whole, pageLimit: .max)?.items ?? []
        // FNV-1a, so that neighbors in one order are none in the other.
        func rank(_ item: ListPage.Item) -> UInt64 {
            item.key.bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 }
        }
        all.sort { (rank($0), $0.key) < (rank($1), $1.key) }
        let start: Int
        if let token = request.continuation {
            guard token.text.hasPrefix("from-"), let index = Int(token.text.dropFirst("from-".count)) else {
                return nil
            }
            start = min(index, all.count)
        } else {
            start = 0
        }
        let end = min(start + min(request.limit, pageLimit), all.count)
        return ListPage(
            items: Array(all[start..<end]), next: end < all.count ? ContinuationToken("from-\(end)") : nil)
    }
}
