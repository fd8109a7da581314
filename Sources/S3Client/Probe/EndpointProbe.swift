internal import CCurl
import ObjectStore
public import SystemSupport

/// Asks a bucket one question (ListObjectsV2, for one key, unsigned), to find out how far one gets with it, and where it
/// stops: the way there is the same for every request, and an answer that says no tells the store's time and the bucket's
/// region too.
public struct EndpointProbe: Sendable {
    private let configuration: S3Configuration
    private let limit: Duration

    /// - Parameters:
    ///   - configuration: Which bucket, and how to reach it.
    ///   - limit: How long it may take.
    public init(_ configuration: S3Configuration, limit: Duration) {
        self.configuration = configuration
        self.limit = limit
    }

    /// Asks, and waits for the answer; a second time where it came to nothing soon, which may have been an accident.
    public func run() -> EndpointReport {
        let start = ContinuousClock.now
        let report = runOnce()
        guard case .failure(let obstacle) = report.result, !obstacle.isDistrust,
            ContinuousClock.now - start < limit / 10
        else { return report }
        return runOnce()
    }

    private func runOnce() -> EndpointReport {
        let address = BucketAddress(
            bucket: configuration.bucket, region: configuration.region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle, variant: configuration.endpointVariant)
        let request = HTTPRequest(
            host: address.host, path: address.path(of: .empty),
            query: [QueryItem("list-type", "2"), QueryItem("max-keys", "1")],
            headers: [HTTPHeader("User-Agent", configuration.userAgent)])
        let endpoint: S3Endpoint
        do throws(SettingsError) {
            endpoint = try S3Endpoint(parsing: address.server)
        } catch {
            preconditionFailure("a bucket's address is no URL: \(error)")
        }
        let connection = ServiceConnection(
            connectLimit: limit / 2, limit: limit, nameLimit: limit, attemptLimit: 1, proxies: configuration.proxies,
            caBundle: configuration.caBundle)
        return EndpointReport(connection.attempt(request, to: endpoint), at: endpoint)
    }
}

/// How far a request came.
public struct EndpointReport: Sendable {
    /// The steps of a request, each of which needs those before it.
    public enum Step: Int, Comparable, Sendable {
        /// The address of the host, or of the proxy on the way to it.
        case name
        /// TCP.
        case connection
        /// TLS, where the URL is https.
        case encryption
        /// An answer, as a store gives it.
        case answer

        /// Earlier ones before later ones.
        public static func < (left: Step, right: Step) -> Bool { left.rawValue < right.rawValue }
    }

    /// What went wrong.
    public struct Obstacle: Sendable {
        /// Where it stopped.
        public let step: Step
        /// What happened, for a person.
        public let message: String
        /// Whether it is the certificate that isn't trusted.
        public let isDistrust: Bool
    }

    /// What a store has answered.
    public struct Answer: Sendable {
        /// What time it is, as the store says.
        public let time: Timestamp?
        /// The region of the bucket, where the store names it.
        public let region: String?
    }

    /// The server's URL, without the bucket's path.
    public let server: String
    /// The name or address in it.
    public let host: String
    /// Whether the URL is https.
    public let isEncrypted: Bool
    /// Whether all stays on this machine.
    public let isLoopback: Bool
    /// Who was connected to: "127.0.0.1 port 9000".
    public let peer: String?
    /// The proxy on the way, without user name and password: "http://127.0.0.1:3128".
    public let proxy: String?
    /// How long each step took that was done.
    public let times: [Step: Duration]
    /// What time it was here when the answer had come.
    public let localTime: Timestamp
    /// How it ended.
    public let result: Result<Answer, Obstacle>
}

extension EndpointReport.Obstacle: Error {}

extension EndpointReport {
    init(_ attempt: ServiceConnection.Attempt, at endpoint: S3Endpoint) {
        server = endpoint.description
        host = endpoint.host
        isEncrypted = endpoint.scheme == .https
        isLoopback = endpoint.isLoopback
        peer = attempt.peer
        proxy = attempt.proxy?.description
        localTime = .now
        times = Self.times(attempt.times)
        result = Self.result(of: attempt, at: endpoint)
    }

    private static func times(_ times: ServiceConnection.Times) -> [Step: Duration] {
        var durations: [Step: Duration] = [:]
        var last = Duration.zero
        let ends: [(Step, Duration?)] = [
            (.name, times.resolved), (.connection, times.connected), (.encryption, times.encrypted),
            (.answer, times.ended),
        ]
        for case (let step, let end?) in ends {
            durations[step] = end - last
            last = end
        }
        return durations
    }

    private static func result(
        of attempt: ServiceConnection.Attempt, at endpoint: S3Endpoint
    ) -> Result<Answer, Obstacle> {
        guard attempt.hasAnswer else {
            let failure = attempt.failure(at: endpoint)
            return .failure(
                Obstacle(
                    step: step(of: attempt, isEncrypted: endpoint.scheme == .https), message: failure.error.message,
                    isDistrust: attempt.result == CURLE_PEER_FAILED_VERIFICATION))
        }
        if attempt.head.status == 407, let proxy = attempt.proxy {
            return .failure(
                Obstacle(
                    step: .answer,
                    message: "the proxy \(proxy) answers HTTP 407, \(AttemptFailure.proxyCredentialsAdvice)",
                    isDistrust: false))
        }
        guard isStores(attempt) else {
            let excerpt = Excerpt.of(attempt.body)
            return .failure(
                Obstacle(
                    step: .answer,
                    message: "what answers at \(endpoint) is no S3 store (HTTP \(attempt.head.status))"
                        + (excerpt.isEmpty ? "" : ": \"\(excerpt)\""),
                    isDistrust: false))
        }
        return .success(
            Answer(
                time: attempt.head.date.flatMap(Timestamp.init(httpDate:)),
                region: attempt.head.region.flatMap { Region.isSignable($0) ? $0 : nil }))
    }

    /// Where an attempt without an answer stopped.
    private static func step(of attempt: ServiceConnection.Attempt, isEncrypted: Bool) -> Step {
        switch attempt.result {
        // A proxy's answer to CONNECT.
        case _ where attempt.connectStatus >= 300: .answer
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .name
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: .connection
        // Before these curl may not note when it connected, since to it TLS belongs to that.
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE:
            .encryption
        case _ where attempt.times.resolved == nil: .name
        case _ where attempt.times.connected == nil && attempt.peer == nil: .connection
        case _ where isEncrypted && attempt.times.encrypted == nil: .encryption
        default: .answer
        }
    }

    /// Whether an answer is one of S3's: a listing, S3's error document, or with S3's headers. Login pages have none of them.
    private static func isStores(_ attempt: ServiceConnection.Attempt) -> Bool {
        if Excerpt.looksLikeHTML(attempt.body) { return false }
        if attempt.head.region != nil || attempt.head.requestID != nil { return true }
        if ErrorDocument(parsing: attempt.body) != nil { return true }
        // An overloaded store, or what stands in front of it, may not find the time for a document.
        if attempt.head.status >= 500 { return true }
        return attempt.head.status == 200
            && String(decoding: attempt.body.prefix(512), as: UTF8.self).contains("ListBucketResult")
    }
}
