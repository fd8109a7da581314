import ObjectStore

/// The two kinds of requests.
enum RequestKind {
    case get
    case list
}

/// What is asked of S3, and what becomes of the answer. Lives on one network thread; outlives attempts that fail.
protocol Operation: AnyObject {
    /// Bytes of an object, or a page of the bucket.
    var kind: RequestKind { get }
    /// What is asked for, for a message: "the listing of …".
    var subject: String { get }
    /// True for CreateSession, which is signed with the account's credentials.
    var isSession: Bool { get }
    /// `true` if a second attempt may be sent beside the first.
    var isHedgeable: Bool { get }
    /// Whether nobody waits for it yet, so that others go first.
    var isAhead: Bool { get }
    /// How far it has come in what was asked for, all attempts together. An attempt that repeats what others brought adds nothing.
    var receivedByteCount: Int { get }

    /// Whether there are bytes that have not come yet.
    var isAwaitingBytes: Bool { get }

    /// The number of bytes that have not come yet, as far as that is known.
    var missingByteCount: Int { get }

    /// The first byte that a request made now asks for, counted from the first that is wanted. Attempts beside each other may begin at
    /// different ones.
    var requestOffset: Int { get }

    /// The request for what is still missing, not yet signed.
    func request(at address: BucketAddress) -> HTTPRequest

    /// The value of `Accept-Encoding`, which isn't signed: a server on the way may change it.
    var acceptedEncoding: String { get }

    /// A refusal, with the remedy that this operation knows for it.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure

    /// An answer begins: a success as far as HTTP goes.
    ///
    /// - Parameter start: The `requestOffset` of its request.
    func begin(_ head: ResponseHead, at start: Int) throws(AttemptFailure)

    /// The next bytes of the answer's body. What another attempt has brought meanwhile is passed over.
    ///
    /// - Parameter start: The offset of the first of them.
    func receive(_ bytes: RawSpan, at start: Int) throws(AttemptFailure)

    /// The answer has ended as far as HTTP goes. Throws where it is not what was asked for.
    func complete() throws(AttemptFailure)

    /// The end, called once: the result is handed over, or the failure of the last attempt.
    func finish(_ failure: StoreError?)
}

extension Operation {
    var isSession: Bool { false }
    var isHedgeable: Bool { true }

    /// The bytes of a range are bytes of the object, not of a compressed form of it.
    var acceptedEncoding: String { "identity" }

    /// The remedy that all operations have.
    func remedy(for refusal: AttemptFailure) -> AttemptFailure { refusal }
}
