internal import Logging
import ObjectStore
import Synchronization

/// What all network threads of a client share: its configuration, and what it has learned of the store.
final class ClientContext: Sendable {
    /// What answers have told.
    private struct Learned {
        /// The region to sign for and, at AWS, to ask.
        var region: String
        /// How far the store's clock is ahead of ours.
        var clockOffsetSeconds = 0
    }

    let configuration: S3Configuration
    private let credentials: (any CredentialsProvider)?
    let logger: Logger
    private let learned: Mutex<Learned>

    init(configuration: S3Configuration, credentials: (any CredentialsProvider)?, logger: Logger) {
        self.configuration = configuration
        self.credentials = credentials
        self.logger = logger
        learned = Mutex(Learned(region: configuration.region))
    }

    /// An attempt that is ready to be sent.
    struct SignedRequest {
        let url: String
        let headers: [HTTPHeader]
        /// The server's URL, for messages.
        let server: String
        /// The region that the request was signed for.
        let region: String
    }

    /// The operation's request, signed with what is known now.
    func signedRequest(for operation: any Operation) -> SignedRequest {
        let (region, clockOffset) = learned.withLock { ($0.region, $0.clockOffsetSeconds) }
        let address = BucketAddress(
            bucket: configuration.bucket, region: region, endpoint: configuration.endpoint,
            style: configuration.addressingStyle)
        var request = operation.request(at: address)
        if configuration.isRequesterPaying {
            request.headers.append(HTTPHeader("x-amz-request-payer", "requester"))
        }
        if let credentials {
            let now = Timestamp.now
            let time = Timestamp(seconds: now.seconds + clockOffset, nanoseconds: now.nanoseconds)
            request = Signer(credentials: credentials.current(), region: region, time: time).signed(request)
        }
        return SignedRequest(
            url: address.url(of: request), headers: request.headers, server: address.server, region: region)
    }

    /// Requests go to `region` from now on.
    func learn(region: String) {
        learned.withLock { $0.region = region }
        logger.info("the bucket is in another region than configured", metadata: ["region": "\(region)"])
    }

    /// Requests are signed with a clock that is `seconds` ahead of this machine's.
    func learn(clockOffsetSeconds seconds: Int) {
        learned.withLock { $0.clockOffsetSeconds = seconds }
        logger.warning("this machine's clock differs from the store's", metadata: ["seconds": "\(seconds)"])
    }
}
