internal import Logging
import ObjectStore
import Synchronization
import SystemSupport

/// The state that all network threads of a client share: the configuration, and the properties of the store that
/// responses have shown.
final class ClientContext: Sendable {
    /// The properties of the store that responses have shown.
    private struct Learned {
        /// The region to sign for, and at AWS to connect to.
        var region: String
        /// The number of seconds that the store's clock is ahead of this machine's.
        var clockOffsetSeconds = 0
        var throttling = Throttling()
    }

    /// The state of throttling, and of its log messages.
    private struct Throttling {
        /// The number of network threads that have reduced their concurrency.
        var threadCount = 0
        /// The time of the last message that the store throttles.
        var toldInstant: RunningClock.Instant?
        /// `true` if the end of throttling must be logged.
        var isTold = false

        /// The minimum interval between messages, since a store at its limit throttles repeatedly.
        static let interval: Duration = .seconds(30)

        /// Returns `true` if throttling must be logged now.
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
    /// The same provider for a directory bucket, whose requests are signed with a session's credentials; `nil` for
    /// other buckets.
    let bucketSession: BucketSession?
    let logger: Logger
    /// The ways in which the store differs from S3.
    let traits: StoreTraits
    /// Called for each part of a response body.
    let didReceive: (@Sendable () -> Void)?
    /// Determines the route to the store.
    let router: Router
    private let learned: Mutex<Learned>
    /// `true` once the store has accepted a request that was signed for `Learned.region`, or if no other region is
    /// possible.
    private let hasVerifiedRegion: Atomic<Bool>

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
        hasVerifiedRegion = Atomic(configuration.isRegionCertain)
    }

    /// A signed request, ready to be sent.
    struct SignedRequest {
        let url: String
        let headers: [HTTPHeader]
        /// The route to the server.
        let route: Route
        /// The server's URL, for messages.
        let server: String
        /// The region that the request was signed for.
        let region: String
        /// The credentials that the request was signed with.
        let credentials: Credentials?
        /// `true` if the provider must be told whether the store accepts the credentials.
        let isUnverified: Bool
        /// The provider of the credentials.
        var provider: (any CredentialsProvider)?
        /// "GET" or "HEAD".
        var method = "GET"

        /// Removes secrets of the request from a failure, since a server may have repeated them.
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

    /// The result of preparing a request.
    enum Preparation {
        /// The request can be sent.
        case request(SignedRequest)
        /// Credentials or an address may soon be available. The error, if any, is for requests that end meanwhile.
        case wait(for: StoreError?)
        /// The address of the store is unknown.
        case unresolved(AttemptFailure)
        /// No credentials are valid.
        case failure(StoreError)
    }

    /// Returns the operation's request, signed with the current credentials.
    func prepare(_ operation: any Operation) -> Preparation {
        let target = target()
        let route: Route
        switch router.route(to: target.address.endpoint) {
        case .ready(let found): route = found
        case .pending(let error): return .wait(for: error)
        case .failed(let failure): return .unresolved(failure)
        }
        let provider = operation.isSession ? bucketSession?.account : credentials
        switch provider?.current(for: operation.subject) {
        case nil: return .request(request(for: operation, at: target, route, signedWith: nil, isUnverified: false))
        case .ready(let credentials, let isUnverified):
            var request = request(
                for: operation, at: target, route, signedWith: credentials, isUnverified: isUnverified)
            request.provider = provider
            return .request(request)
        case .renewing: return .wait(for: bucketSession?.transientError)
        case .unavailable(let error): return .failure(error)
        }
    }

    /// The address of the bucket, the region to sign for, and the time by the store's clock.
    typealias Target = (address: BucketAddress, region: String, time: Timestamp)

    private func request(
        for operation: any Operation, at target: Target, _ route: Route, signedWith credentials: Credentials?,
        isUnverified: Bool
    ) -> SignedRequest {
        let (address, region, time) = target
        var request = operation.request(at: address)
        if !operation.isSession { request.headers += commonHeaders }
        if let key = configuration.customerKey, operation.kind == .get { request.headers += key.headers }
        if let credentials {
            let purpose = operation.isSession ? Credentials.Purpose.bucketSession : credentials.purpose
            let signer = Signer(credentials: credentials, region: region, service: purpose.service, time: time)
            request = signer.signed(request)
        }
        return SignedRequest(
            url: address.url(of: request), headers: request.headers, route: route, server: address.server + route.note,
            region: region, credentials: credentials, isUnverified: isUnverified, method: request.method)
    }

    /// Returns the target of requests, as far as it is known.
    func target() -> Target {
        let learned = learned.withLock { $0 }
        let address = BucketAddress(
            bucket: configuration.bucket, region: learned.region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle, variant: configuration.endpointVariant)
        let now = Timestamp.now
        let time = Timestamp(seconds: now.seconds + learned.clockOffsetSeconds, nanoseconds: now.nanoseconds)
        return (address, learned.region, time)
    }

    /// The headers of every GET, HEAD and LIST of the bucket: the payer, and the expected owner. Presigned URLs have
    /// them in the query. Headers of one operation belong in its `request(at:)`.
    var commonHeaders: [HTTPHeader] {
        var headers: [HTTPHeader] = []
        if configuration.isRequesterPaying { headers.append(HTTPHeader("x-amz-request-payer", "requester")) }
        if let owner = configuration.expectedBucketOwner {
            headers.append(HTTPHeader("x-amz-expected-bucket-owner", owner))
        }
        return headers
    }

    /// Adds the user's remedy to a refusal.
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
            return "the bucket is not public: drop --no-sign-request and supply credentials"
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
            + (configuration.isRequesterPaying ? "" : "; for a Requester Pays bucket, mount with --request-payer")
    }

    /// `true` if the region is known, and not only assumed.
    var isRegionVerified: Bool { hasVerifiedRegion.load(ordering: .relaxed) }

    /// Records a response that only the bucket's own region sends.
    func noteRegionVerified() {
        if !isRegionVerified { hasVerifiedRegion.store(true, ordering: .relaxed) }
    }

    /// Uses `region` for all requests from now on.
    func learn(region: String) {
        learned.withLock { $0.region = region }
        logger.info("the bucket is in another region than configured", metadata: ["region": "\(region)"])
    }

    /// Records that a network thread has reduced its concurrency because of `error`.
    ///
    /// - Parameter isBeginning: `true` if its concurrency was not reduced before.
    func noteThrottling(_ error: StoreError, isBeginning: Bool) {
        let isNews = learned.withLock { learned in
            if isBeginning { learned.throttling.threadCount += 1 }
            return learned.throttling.takeNews(now: .now)
        }
        guard isNews else { return }
        logger.warning("throttled by S3; reducing concurrency: \(error)")
    }

    /// Records that a network thread has its full concurrency again.
    func noteRelief() {
        let isNews = learned.withLock { learned in
            learned.throttling.threadCount -= 1
            guard learned.throttling.threadCount == 0, learned.throttling.isTold else { return false }
            learned.throttling.isTold = false
            return true
        }
        if isNews { logger.notice("no longer throttled") }
    }

    /// Signs requests with a clock that is `seconds` ahead of this machine's from now on.
    func learn(clockOffsetSeconds seconds: Int) {
        learned.withLock { $0.clockOffsetSeconds = seconds }
        logger.warning("this machine's clock differs from the store's", metadata: ["seconds": "\(seconds)"])
    }
}
