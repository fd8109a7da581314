import ObjectStore

/// The kind of a request, in limits and statistics. A HEAD counts as a GET, CreateSession as a LIST.
enum RequestKind {
    case get
    case list
}

/// An S3 operation: its requests, and the handling of responses. Lives on one network thread, across all attempts.
protocol Operation: AnyObject {
    /// The kind of the requests.
    var kind: RequestKind { get }
    /// The subject of the request, for messages: "the listing of …".
    var subject: String { get }
    /// `true` for CreateSession, which is signed with the account's credentials.
    var isSession: Bool { get }
    /// `true` if a hedge may be sent.
    var isHedgeable: Bool { get }
    /// `true` for a prefetch, before which other requests are sent.
    var isAhead: Bool { get }
    /// The number of bytes received by all attempts together. An attempt that repeats bytes adds nothing.
    var receivedByteCount: Int { get }

    /// `true` while bytes are missing.
    var isAwaitingBytes: Bool { get }

    /// The number of missing bytes, as far as it is known.
    var missingByteCount: Int { get }

    /// The offset of the first byte that a request made now asks for, within the whole request. Attempts beside each
    /// other may have different ones.
    var requestOffset: Int { get }

    /// Returns the unsigned request for the missing bytes.
    func request(at address: BucketAddress) -> HTTPRequest

    /// The value of `Accept-Encoding`, which is not signed, since a proxy may change it.
    var acceptedEncoding: String { get }

    /// Returns a refusal with the remedy of this operation.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure

    /// Handles the head of a response with a success status.
    ///
    /// - Parameter start: The `requestOffset` of its request.
    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure)

    /// Handles the next bytes of a response body. Bytes that another attempt has received are skipped.
    ///
    /// - Parameter start: The offset of the first of these bytes.
    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure)

    /// Handles the end of a response. Throws an error if it is not the requested one.
    func complete() throws(AttemptFailure)

    /// Called once at the end: passes on the result, or the failure of the last attempt.
    func finish(_ failure: StoreError?)
}

extension Operation {
    var isSession: Bool { false }
    var isHedgeable: Bool { true }

    /// `identity`, since the bytes of a range are those of the object, and not of a compressed form.
    var acceptedEncoding: String { "identity" }

    /// Returns the refusal unchanged.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure { refusal }
}
