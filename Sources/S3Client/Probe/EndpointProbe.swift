internal import CCurl
import ObjectStore
public import SystemSupport

/// A probe of a bucket's endpoint: sends one unsigned ListObjectsV2 for one key, and reports the step that fails. The
/// connection is made as for any other request, and even a refusal tells the store's time and the bucket's region.
public struct EndpointProbe: Sendable {
    private let configuration: S3Configuration
    private let limit: Duration

    /// Creates a probe of a bucket's endpoint.
    ///
    /// - Parameters:
    ///   - configuration: The bucket, and the way to reach it.
    ///   - limit: The timeout.
    public init(_ configuration: S3Configuration, limit: Duration) {
        self.configuration = configuration
        self.limit = limit
    }

    /// Sends the request and waits for the response. Retries once after an early failure, which may have been
    /// accidental.
    public func run() -> EndpointReport {
        let start = ContinuousClock.now
        let report = runOnce()
        guard case .failure(let obstacle) = report.result, !obstacle.isUntrustedCertificate,
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

/// The result of a probe.
public struct EndpointReport: Sendable {
    /// A step of a request, which needs all steps before it.
    public enum Step: Int, Comparable, Sendable {
        /// The lookup of the host's address, or of the proxy's.
        case name
        /// The TCP connection.
        case connection
        /// The TLS handshake, for https.
        case encryption
        /// The response of a store.
        case answer

        /// Orders the steps by time.
        public static func < (left: Step, right: Step) -> Bool { left.rawValue < right.rawValue }
    }

    /// The failure of a step.
    public struct Obstacle: Sendable {
        /// The step that failed.
        public let step: Step
        /// The message for the user.
        public let message: String
        /// `true` if the certificate is not trusted.
        public let isUntrustedCertificate: Bool
    }

    /// The content of a store's response.
    public struct Answer: Sendable {
        /// The time by the store's clock.
        public let time: Timestamp?
        /// The region of the bucket, if the store names it.
        public let region: String?
    }

    /// The server's URL, without the bucket's path.
    public let server: String
    /// The host name or address in the URL.
    public let host: String
    /// `true` for https.
    public let isEncrypted: Bool
    /// `true` if the endpoint is on this machine.
    public let isLoopback: Bool
    /// The peer of the connection: "127.0.0.1 port 9000".
    public let peer: String?
    /// The proxy, without user name and password: "http://127.0.0.1:3128".
    public let proxy: String?
    /// The duration of each completed step.
    public let times: [Step: Duration]
    /// The time by this machine's clock when the response arrived.
    public let localTime: Timestamp
    /// The result.
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
                    isUntrustedCertificate: attempt.result == CURLE_PEER_FAILED_VERIFICATION))
        }
        if attempt.head.status == 407, let proxy = attempt.proxy {
            return .failure(
                Obstacle(
                    step: .answer,
                    message: "the proxy \(proxy) answers HTTP 407, \(AttemptFailure.proxyCredentialsAdvice)",
                    isUntrustedCertificate: false))
        }
        guard isStores(attempt) else {
            let excerpt = Excerpt.of(attempt.body)
            return .failure(
                Obstacle(
                    step: .answer,
                    message: "what answers at \(endpoint) is no S3 store (HTTP \(attempt.head.status))"
                        + (excerpt.isEmpty ? "" : ": \"\(excerpt)\""),
                    isUntrustedCertificate: false))
        }
        return .success(
            Answer(
                time: attempt.head.date.flatMap(Timestamp.init(httpDate:)),
                region: attempt.head.region.flatMap { Region.isSignable($0) ? $0 : nil }))
    }

    /// Returns the step at which an attempt without a response failed.
    private static func step(of attempt: ServiceConnection.Attempt, isEncrypted: Bool) -> Step {
        switch attempt.result {
        // A proxy's response to CONNECT.
        case _ where attempt.connectStatus >= 300: .answer
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY: .name
        case CURLE_COULDNT_CONNECT, CURLE_PROXY: .connection
        // After these errors curl may not have recorded a connection, since TLS is a part of it for curl.
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CIPHER, CURLE_SSL_ISSUER_ERROR,
            CURLE_SSL_CERTPROBLEM, CURLE_SSL_CACERT_BADFILE:
            .encryption
        case _ where attempt.times.resolved == nil: .name
        case _ where attempt.times.connected == nil && attempt.peer == nil: .connection
        case _ where isEncrypted && attempt.times.encrypted == nil: .encryption
        default: .answer
        }
    }

    /// Returns `true` for a response of an S3 store: a listing, S3's error document, or S3's headers. Login pages have
    /// none of these.
    private static func isStores(_ attempt: ServiceConnection.Attempt) -> Bool {
        if Excerpt.looksLikeHTML(attempt.body) { return false }
        if attempt.head.region != nil || attempt.head.requestID != nil { return true }
        if ErrorDocument(parsing: attempt.body) != nil { return true }
        // An overloaded store, or a server in front of it, may respond without a document.
        if attempt.head.status >= 500 { return true }
        return attempt.head.status == 200
            && String(decoding: attempt.body.prefix(512), as: UTF8.self).contains("ListBucketResult")
    }
}
