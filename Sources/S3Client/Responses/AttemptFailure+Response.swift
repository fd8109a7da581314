import ObjectStore
import SystemSupport

/// The failures that responses of a store report.
extension AttemptFailure {
    /// Creates the failure for a response whose status is not the expected one.
    ///
    /// - Parameters:
    ///   - head: The head of the response.
    ///   - body: The part of the body that was received.
    ///   - subject: The subject of the request, as in "the listing of s3://bucket/prefix".
    ///   - isListing: `true` if the request was for a bucket, and not for an object.
    ///   - isAWS: `true` if the store is AWS's, so that regions become part of host names.
    ///   - now: The time by this machine's clock, to compare with the store's.
    init(
        head: ResponseHead, body: [UInt8], subject: String, isListing: Bool, isAWS: Bool = true, now: Timestamp
    ) {
        let document = ErrorDocument(parsing: body)
        let requestID = document?.requestID ?? head.requestID
        let code = document?.code ?? ""
        if let region = head.region ?? document?.region, S3ErrorTable.isRedirect(status: head.status, code: code) {
            self = Self.redirect(to: region, subject: subject, isAWS: isAWS, requestID: requestID)
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
        let meaning =
            S3ErrorTable.meaning(ofCode: code) ?? S3ErrorTable.meaning(ofStatus: head.status, isListing: isListing)
        let answer =
            document.map { "\($0.code)\($0.message.isEmpty ? "" : ": \($0.message)") (HTTP \(head.status))" }
            ?? "HTTP \(head.status)"
        self.init(
            StoreError(meaning.error, "the store refuses \(subject): \(answer)", requestID: requestID),
            remedy: meaning.remedy, answer: answer)
        retryAfter = Self.retryAfter(head)
        isUnknownRequest = !isAWS && S3ErrorTable.isUnknownRequest(status: head.status, code: code)
    }

    /// The longest `Retry-After` that is honored. A mistaken or malicious server must not make a reader wait until its
    /// deadline.
    private static let retryAfterMax: Duration = .seconds(10)

    private static func retryAfter(_ head: ResponseHead) -> Duration? {
        guard let seconds = head.retryAfterSeconds, seconds > 0 else { return nil }
        return min(.seconds(min(seconds, 3_600)), retryAfterMax)
    }

    private static func redirect(
        to region: String, subject: String, isAWS: Bool, requestID: String?
    ) -> AttemptFailure {
        // At AWS the name becomes part of a host name, so it must be a valid region.
        guard isAWS ? Region.isValid(region) : Region.isSignable(region) else {
            let message =
                "the store refers \(subject) to a region whose name can't be right: \(Excerpt.of(region.utf8))"
            return AttemptFailure(StoreError(.wrongRegion, message, requestID: requestID))
        }
        let message = "the store refers \(subject) to the region \(region)"
        return AttemptFailure(StoreError(.wrongRegion, message, requestID: requestID), remedy: .useRegion(region))
    }

    /// Returns the number of seconds that the store's clock is ahead of this machine's.
    private static func skew(of head: ResponseHead, now: Timestamp) -> Int? {
        head.date.flatMap(Timestamp.init(httpDate:)).map { $0.seconds - now.seconds }
    }
}
