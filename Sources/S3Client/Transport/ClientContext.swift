internal import Logging
import ObjectStore
import Synchronization
import SystemSupport

/// What all network threads of a client share: its configuration, and what it has learned of the store.
final class ClientContext: Sendable {
    /// What answers have told.
    private struct Learned {
        /// The region to sign for and, at AWS, to ask.
        var region: String
        /// How far the store's clock is ahead of ours.
        var clockOffsetSeconds = 0
        var throttling = Throttling()
    }

    /// What is known, and told, of a store that asks for less traffic.
    private struct Throttling {
        /// How many network threads ask for less than they could.
        var threadCount = 0
        /// When it was told last that it asks for that.
        var toldInstant: RunningClock.Instant?
        /// Whether it is still to be told that it doesn't any more.
        var isTold = false

        /// A store at its limit comes and goes: it is told of at most once in such a time.
        static let interval: Duration = .seconds(30)

        /// Returns whether to tell now.
        mutating func takeNews(now: RunningClock.Instant) -> Bool {
            guard !isTold, toldInstant.map({ $0 + Self.interval <= now }) ?? true else { return false }
            toldInstant = now
            isTold = true
            return true
        }
    }

    let configuration: S3Configuration
    /// `nil` for unsigned requests.
    let credentials: (any CredentialsProvider)?
    /// The same for a directory bucket, whose requests are signed with a session's credentials; `nil` for other buckets.
    let bucketSession: BucketSession?
    let logger: Logger
    /// The ways of the store that differ from S3's.
    let traits: StoreTraits
    /// Called with each piece of an answer's body.
    let didReceive: (@Sendable () -> Void)?
    /// Finds the way to the store.
    let router: Router
    private let learned: Mutex<Learned>
    /// Whether the store has answered a request that was signed for `Learned.region`, or there can't be another.
    private let hasRegionProof: Atomic<Bool>

    init(
        configuration: S3Configuration, credentials: (any CredentialsProvider)?, logger: Logger,
        didReceive: (@Sendable () -> Void)? = nil
    ) {
        self.configuration = configuration
        router = Router(proxies: configuration.proxies)
        self.didReceive = didReceive
        if configuration.directoryBucket != nil, let credentials {
            bucketSession = BucketSession(of: configuration, account: credentials, logger: logger)
        } else {
            bucketSession = nil
        }
        self.credentials = bucketSession ?? credentials
        self.logger = logger
        traits = StoreTraits(logger: logger)
        learned = Mutex(Learned(region: configuration.region))
        hasRegionProof = Atomic(configuration.isRegionCertain)
    }

    /// An attempt that is ready to be sent.
    struct SignedRequest {
        let url: String
        let headers: [HTTPHeader]
        /// The way to the server.
        let route: Route
        /// The server's URL, for messages.
        let server: String
        /// The region that the request was signed for.
        let region: String
        /// What it was signed with.
        let credentials: Credentials?
        /// Whether somebody waits to hear that the store takes them.
        let isUnproven: Bool
        /// The provider of the credentials.
        var provider: (any CredentialsProvider)?
        /// "GET" or "HEAD".
        var method = "GET"

        /// A failure without what was sent, which a server may have repeated.
        func hidingSecrets(in failure: AttemptFailure) -> AttemptFailure {
            var failure = failure
            let secrets = SecretText(headers, of: credentials)
            let error = failure.error
            failure.answer = secrets.removed(from: failure.answer)
            failure.error = StoreError(
                error.code, secrets.removed(from: error.message),
                requestID: error.requestID.map(secrets.removed(from:)))
            return failure
        }
    }

    /// What becomes of an operation's turn.
    enum Preparation {
        /// It can be sent.
        case request(SignedRequest)
        /// There may soon be something to sign with, or an address. The error, where there is one, is what requests are told that
        /// end meanwhile.
        case wait(for: StoreError?)
        /// The address of the store isn't known.
        case unresolved(AttemptFailure)
        /// There is nothing to sign with.
        case failure(StoreError)
    }

    /// The operation's request, signed with what is known now.
    func prepare(_ operation: any Operation) -> Preparation {
        let place = place()
        let route: Route
        switch router.route(to: place.address.endpoint) {
        case .ready(let found): route = found
        case .pending(let error): return .wait(for: error)
        case .failed(let failure): return .unresolved(failure)
        }
        let provider = operation.isSession ? bucketSession?.account : credentials
        switch provider?.current(for: operation.subject) {
        case nil: return .request(request(for: operation, at: place, route, signedWith: nil, isUnproven: false))
        case .ready(let credentials, let isUnproven):
            var request = request(for: operation, at: place, route, signedWith: credentials, isUnproven: isUnproven)
            request.provider = provider
            return .request(request)
        case .renewing: return .wait(for: bucketSession?.trouble)
        case .unavailable(let error): return .failure(error)
        }
    }

    /// The address of the bucket, the region to sign for, and the time there.
    typealias Place = (address: BucketAddress, region: String, time: Timestamp)

    private func request(
        for operation: any Operation, at place: Place, _ route: Route, signedWith credentials: Credentials?,
        isUnproven: Bool
    ) -> SignedRequest {
        let (address, region, time) = place
        var request = operation.request(at: address)
        if !operation.isSession { request.headers += agreements }
        if let key = configuration.customerKey, operation.kind == .get { request.headers += key.headers }
        if let credentials {
            let purpose = operation.isSession ? Credentials.Purpose.bucketSession : credentials.purpose
            let signer = Signer(credentials: credentials, region: region, service: purpose.service, time: time)
            request = signer.signed(request)
        }
        return SignedRequest(
            url: address.url(of: request), headers: request.headers, route: route, server: address.server + route.note,
            region: region, credentials: credentials, isUnproven: isUnproven, method: request.method)
    }

    /// The place of the bucket, as far as answers have told.
    func place() -> Place {
        let learned = learned.withLock { $0 }
        let address = BucketAddress(
            bucket: configuration.bucket, region: learned.region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle, variant: configuration.endpointVariant)
        let now = Timestamp.now
        let time = Timestamp(seconds: now.seconds + learned.clockOffsetSeconds, nanoseconds: now.nanoseconds)
        return (address, learned.region, time)
    }

    /// What is agreed to with each request: who pays, and whose bucket it must be.
    var agreements: [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if configuration.isRequesterPaying { headers.append(HTTPHeader("x-amz-request-payer", "requester")) }
        if let owner = configuration.expectedBucketOwner {
            headers.append(HTTPHeader("x-amz-expected-bucket-owner", owner))
        }
        return headers
    }

    /// What a person can do about a refusal; that is the same whatever was asked for.
    func advised(_ failure: AttemptFailure) -> AttemptFailure {
        let advice: String
        switch failure.error.code {
        case .accessDenied: advice = accessAdvice
        case .archived:
            advice = "the object is archived and must be restored before it can be read (aws s3api restore-object)"
        default: return failure
        }
        var failure = failure
        failure.error = StoreError(
            failure.error.code, "\(failure.error.message); \(advice)", requestID: failure.error.requestID)
        return failure
    }

    private var accessAdvice: String {
        guard credentials != nil else {
            return "it is not open to all: leave out --no-sign-request, and mount with keys"
        }
        if let bucketSession, !bucketSession.isOrdinary {
            return
                "the keys need the right s3express:CreateSession on this directory bucket, and where a KMS key encrypts it "
                + "kms:Decrypt and kms:GenerateDataKey on that"
        }
        return
            "the keys may not list or read this: accept the data's terms of use where they come from, or mount a prefix that they "
            + "may read"
            + (configuration.expectedBucketOwner.map { "; or the bucket is not the account \($0)'s" } ?? "")
            + (configuration.isRequesterPaying ? "" : "; where whoever reads has to pay, mount with --request-payer")
    }

    /// Whether the region is known, and not only assumed.
    var isRegionProven: Bool { hasRegionProof.load(ordering: .relaxed) }

    /// The store has answered as only the bucket's own region does.
    func noteRegionProof() {
        if !isRegionProven { hasRegionProof.store(true, ordering: .relaxed) }
    }

    /// Requests go to `region` from now on.
    func learn(region: String) {
        learned.withLock { $0.region = region }
        logger.info("the bucket is in another region than configured", metadata: ["region": "\(region)"])
    }

    /// A network thread asks for less, because of `error`.
    ///
    /// - Parameter isBeginning: Whether it asked for as much as it can before.
    func noteThrottling(_ error: StoreError, isBeginning: Bool) {
        let isNews = learned.withLock { learned in
            if isBeginning { learned.throttling.threadCount += 1 }
            return learned.throttling.takeNews(now: .now)
        }
        guard isNews else { return }
        logger.warning("the store asks for less traffic and gets less, until it bears more again: \(error)")
    }

    /// A network thread asks for as much as it can again.
    func noteRelief() {
        let isNews = learned.withLock { learned in
            learned.throttling.threadCount -= 1
            guard learned.throttling.threadCount == 0, learned.throttling.isTold else { return false }
            learned.throttling.isTold = false
            return true
        }
        if isNews { logger.notice("the store bears all requests again") }
    }

    /// Requests are signed with a clock that is `seconds` ahead of this machine's.
    func learn(clockOffsetSeconds seconds: Int) {
        learned.withLock { $0.clockOffsetSeconds = seconds }
        logger.warning("this machine's clock differs from the store's", metadata: ["seconds": "\(seconds)"])
    }
}
