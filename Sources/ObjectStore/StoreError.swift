/// Why a store did not do what it was asked. Final: the store has retried what is worth a retry.
public struct StoreError: Error, Hashable, Sendable {
    /// What kind of failure, as far as a caller would act on it differently. Its name is for programs (`tractfs status --json`).
    public enum Code: String, Hashable, Sendable {
        /// The object isn't there (404 NoSuchKey).
        case noSuchKey = "no_such_key"
        /// The bucket isn't there (404 NoSuchBucket).
        case noSuchBucket = "no_such_bucket"
        /// These credentials may not do this (403 AccessDenied, KMS included).
        case accessDenied = "access_denied"
        /// The store doesn't take the credentials (403 InvalidAccessKeyId, SignatureDoesNotMatch; 400 InvalidToken).
        case credentialsRejected = "credentials_rejected"
        /// The credentials were good once (400 ExpiredToken).
        case credentialsExpired = "credentials_expired"
        /// The object is archived and must be restored before it can be read (403 InvalidObjectState).
        case archived
        /// The object is no longer the version that was asked for (412; 416 for a range within the version's size).
        case changed
        /// The store asks for less traffic and kept asking until the deadline (429, 503 SlowDown).
        case throttled
        /// The store failed and kept failing (500, 502, 504).
        case serverFault = "server_fault"
        /// No answer before the deadline.
        case timedOut = "timed_out"
        /// No connection: name not found, refused, no route, reset.
        case unreachable
        /// The TLS certificate or handshake is not acceptable.
        case insecure
        /// The bucket is in another region, and the store couldn't be told which.
        case wrongRegion = "wrong_region"
        /// What came back is not what S3 would say: HTML instead of XML, a wrong range, a short body.
        case malformedResponse = "malformed_response"
        /// Anything else that the store refused (other 4xx).
        case refused
        /// The caller cancelled the request.
        case cancelled
    }

    /// Whether the store was asked until the deadline, and asking at once again would end in the same way.
    public var tookAllTime: Bool {
        switch code {
        case .throttled, .serverFault, .timedOut, .unreachable: true
        default: false
        }
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for a person, without a full stop: what happened, with S3's own code and message where there is
    /// one. Never holds a secret.
    public let message: String
    /// S3's name for the request (`x-amz-request-id`), which AWS support asks for.
    public let requestID: String?

    /// A failure of this kind.
    public init(_ code: Code, _ message: String, requestID: String? = nil) {
        self.code = code
        self.message = message
        // Some stores name none by an empty name.
        self.requestID = requestID?.isEmpty == true ? nil : requestID
    }
}

extension StoreError: CustomStringConvertible {
    /// The message, with the request's id where it has one.
    public var description: String {
        requestID.map { "\(message) (request id \($0))" } ?? message
    }
}
