/// Ways of a server to say no.
public enum Refusal: Sendable {
    /// Any status with S3's error document of this code.
    case error(status: Int, code: String)
    /// The bucket is in `region`: refuses with `status` (301, 307 or 400) and `x-amz-bucket-region` what is signed for
    /// another region, or not signed, and answers what is signed for the right one.
    case otherRegion(String, status: Int)
    /// S3's error document of this code, in which everything is repeated that was sent, where S3 does that and where it
    /// doesn't: the message, the request's id, the canonical request.
    case repeating(code: String)

    /// 503 SlowDown, with the wish to be left alone for so long (`Retry-After`).
    case slowDownFor(seconds: Int)
    /// Refers to another address, in `Location`, and where `region` is one to that region as well, as S3 does for
    /// buckets that are elsewhere (301) or new (307).
    case redirect(status: Int, location: String, region: String?)
    /// Any status with a page of HTML, as load balancers and proxies have them.
    case html(status: Int)
    /// Any status with these headers and this body, announced as XML.
    case document(status: Int, headers: [String: String], String)

    /// 403 AccessDenied.
    public static let accessDenied = Refusal.error(status: 403, code: "AccessDenied")
    /// 403 InvalidAccessKeyId.
    public static let invalidAccessKeyID = Refusal.error(status: 403, code: "InvalidAccessKeyId")
    /// 403 SignatureDoesNotMatch.
    public static let signatureDoesNotMatch = Refusal.error(status: 403, code: "SignatureDoesNotMatch")
    /// 400 ExpiredToken.
    public static let expiredToken = Refusal.error(status: 400, code: "ExpiredToken")
    /// 503 SlowDown.
    public static let slowDown = Refusal.error(status: 503, code: "SlowDown")
    /// 429 TooManyRequests.
    public static let tooManyRequests = Refusal.error(status: 429, code: "TooManyRequests")
    /// 500 InternalError.
    public static let internalError = Refusal.error(status: 500, code: "InternalError")
    /// 404 NoSuchBucket.
    public static let noSuchBucket = Refusal.error(status: 404, code: "NoSuchBucket")
    /// 403 InvalidObjectState.
    public static let invalidObjectState = Refusal.error(status: 403, code: "InvalidObjectState")

    func apply(to response: inout S3Response, request: S3Request) {
        switch self {
        case .error(let status, let code):
            response = .error(status, code, "The test's script says \(code)")
        case .otherRegion(let region, let status):
            guard request.signedRegion != region else { return }
            let code = status == 400 ? "AuthorizationHeaderMalformed" : "PermanentRedirect"
            response = .error(status, code, "The bucket is in this region: \(region). Please use this region")
            response.headers["x-amz-bucket-region"] = region
        case .repeating(let code):
            response = S3Response(
                status: 403, headers: ["Content-Type": "application/xml"],
                body: .bytes(repetition(of: request.headers, code: code)))
        case .slowDownFor(let seconds):
            response = .error(503, "SlowDown", "Please reduce your request rate")
            response.headers["Retry-After"] = String(seconds)
        case .redirect(let status, let location, let region):
            response = .error(status, "TemporaryRedirect", "Please re-send this request to the specified endpoint")
            response.headers["Location"] = location
            response.headers["x-amz-bucket-region"] = region
        case .html(let status):
            let page = "<html><head><title>\(status)</title></head><body><h1>Not now</h1></body></html>"
            response = S3Response(status: status, headers: ["Content-Type": "text/html"], body: .text(page))
        case .document(let status, let headers, let text):
            response = S3Response(
                status: status, headers: ["Content-Type": "application/xml"].merging(headers) { $1 }, body: .text(text))
        }
    }
}
