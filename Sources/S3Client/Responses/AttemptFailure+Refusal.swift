import ObjectStore
import SystemSupport

/// What an answer that is no success means. This is the one place that knows S3's error codes ("List of error codes" in
/// the Amazon S3 API Reference).
extension AttemptFailure {
    /// - Parameters:
    ///   - head: The answer's head, whose status is not the one asked for.
    ///   - body: What has come of its body.
    ///   - subject: What was asked for, as in "the listing of s3://bucket/prefix".
    ///   - isListing: Whether a bucket was asked for, not an object.
    ///   - isAWS: Whether the store is AWS's, so that regions become part of host names.
    ///   - now: The client's clock, to compare with the store's.
    init(
        head: ResponseHead, body: [UInt8], subject: String, isListing: Bool, isAWS: Bool = true, now: Timestamp
    ) {
        let document = ErrorDocument(parsing: body)
        let requestID = document?.requestID ?? head.requestID
        let code = document?.code ?? ""
        if let region = head.region ?? document?.region, Self.redirects(status: head.status, code: code) {
            self = Self.elsewhere(region, subject: subject, isAWS: isAWS, requestID: requestID)
            return
        }
        if code == "RequestTimeTooSkewed", let skew = Self.skew(of: head, now: now) {
            let message = "the store refuses \(subject): this machine's clock is \(abs(skew)) seconds off"
            self.init(StoreError(.refused, message, requestID: requestID), remedy: .setClock(seconds: skew))
            return
        }
        if head.status == 407 {
            let message = "a proxy on the way to the store answers HTTP 407, \(Self.proxyCredentialsAdvice)"
            self.init(StoreError(.refused, message))
            return
        }
        if document == nil, head.status < 500, Excerpt.looksLikeHTML(body) {
            let message =
                "a proxy or a login page seems to have answered in the store's place (HTTP \(head.status)): "
                + "\"\(Excerpt.of(body))\""
            self.init(StoreError(.malformedResponse, message, requestID: requestID))
            return
        }
        let (storeCode, remedy) =
            Self.meaning(ofCode: code) ?? Self.meaning(ofStatus: head.status, isListing: isListing)
        let answer =
            document.map { "\($0.code)\($0.message.isEmpty ? "" : ": \($0.message)") (HTTP \(head.status))" }
            ?? "HTTP \(head.status)"
        self.init(
            StoreError(storeCode, "the store refuses \(subject): \(answer)", requestID: requestID), remedy: remedy,
            answer: answer)
        retryAfter = Self.retryAfter(head)
        isUnknownRequest = !isAWS && Self.isUnknownRequest(status: head.status, code: code)
    }

    /// Returns `true` if a store that is not AWS's says that it does not know a kind of request or one of its parameters.
    private static func isUnknownRequest(status: Int, code: String) -> Bool {
        switch code {
        case "NotImplemented", "UnsupportedOperation", "UnsupportedParameter": true
        case "InvalidArgument", "InvalidRequest", "BadRequest", "": status == 400 || status == 501
        default: false
        }
    }

    /// As long as is worth waiting for at the most: what a mistaken or malicious server says shall not keep a reader waiting
    /// until its deadline.
    private static let retryAfterMax: Duration = .seconds(10)

    private static func retryAfter(_ head: ResponseHead) -> Duration? {
        guard let seconds = head.retryAfterSeconds, seconds > 0 else { return nil }
        return min(.seconds(min(seconds, 3_600)), retryAfterMax)
    }

    private static func redirects(status: Int, code: String) -> Bool {
        status == 301 || status == 307 || status == 308
            || (status == 400
                && (code == "AuthorizationHeaderMalformed" || code == "IllegalLocationConstraintException"
                    || code.isEmpty))
    }

    private static func elsewhere(
        _ region: String, subject: String, isAWS: Bool, requestID: String?
    ) -> AttemptFailure {
        // At AWS the name becomes part of a host's name, so it may not be just anything.
        guard isAWS ? Region.isValid(region) : Region.isSignable(region) else {
            let message =
                "the store refers \(subject) to a region whose name can't be right: \(Excerpt.of(region.utf8))"
            return AttemptFailure(StoreError(.wrongRegion, message, requestID: requestID))
        }
        let message = "the store refers \(subject) to the region \(region)"
        return AttemptFailure(StoreError(.wrongRegion, message, requestID: requestID), remedy: .useRegion(region))
    }

    /// How many seconds the store's clock is ahead of ours.
    private static func skew(of head: ResponseHead, now: Timestamp) -> Int? {
        head.date.flatMap(Timestamp.init(httpDate:)).map { $0.seconds - now.seconds }
    }

    private static func meaning(ofCode code: String) -> (StoreError.Code, Remedy)? {
        switch code {
        case "NoSuchKey": (.noSuchKey, .none)
        case "NoSuchBucket": (.noSuchBucket, .none)
        case "AccessDenied", "AllAccessDisabled", "AccountProblem": (.accessDenied, .none)
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity", "InvalidClientTokenId":
            (.credentialsRejected, .renewCredentials)
        case "NotSignedUp": (.credentialsRejected, .none)
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired": (.credentialsExpired, .renewCredentials)
        case "InvalidObjectState": (.archived, .none)
        case "PreconditionFailed", "InvalidRange": (.changed, .none)
        case "SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling", "ThrottlingException":
            (.throttled, .backOff)
        case "RequestTimeout": (.timedOut, .backOff)
        case "InternalError", "ServiceUnavailable": (code == "InternalError" ? .serverFault : .throttled, .backOff)
        case "PermanentRedirect", "TemporaryRedirect": (.wrongRegion, .none)
        case "NotImplemented": (.refused, .none)
        default: nil
        }
    }

    private static func meaning(ofStatus status: Int, isListing: Bool) -> (StoreError.Code, Remedy) {
        switch status {
        case 401, 403: (.accessDenied, .none)
        case 404: (isListing ? .noSuchBucket : .noSuchKey, .none)
        case 408: (.timedOut, .backOff)
        case 412, 416: (.changed, .none)
        case 429, 503: (.throttled, .backOff)
        case 501: (.refused, .none)
        case 500...599: (.serverFault, .backOff)
        case 300..<400: (.wrongRegion, .none)
        case 100..<300: (.malformedResponse, .none)
        default: (.refused, .none)
        }
    }
}
