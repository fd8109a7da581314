/// The failure of a request to a store. It is final: the store has retried the failures that are worth a retry.
public struct StoreError: Error, Hashable, Sendable {
    /// The kind of a failure, as far as callers distinguish them. The raw value is for programs (`tractfs status
    /// --json`).
    public enum Code: String, Hashable, Sendable {
        /// The object doesn't exist (404 NoSuchKey).
        case noSuchKey = "no_such_key"
        /// The bucket doesn't exist (404 NoSuchBucket).
        case noSuchBucket = "no_such_bucket"
        /// The credentials don't permit the request (403 AccessDenied, also of KMS).
        case accessDenied = "access_denied"
        /// The store rejects the credentials (403 InvalidAccessKeyId, SignatureDoesNotMatch; 400 InvalidToken).
        case credentialsRejected = "credentials_rejected"
        /// The credentials have expired (400 ExpiredToken).
        case credentialsExpired = "credentials_expired"
        /// The object is archived and must be restored before it can be read (403 InvalidObjectState).
        case archived
        /// The object is no longer the requested version (412; 416 for a range within the size of that version).
        case changed
        /// The store throttled all attempts until the deadline (429, 503 SlowDown).
        case throttled
        /// The store failed until the deadline (500, 502, 504).
        case serverFault = "server_fault"
        /// No response before the deadline.
        case timedOut = "timed_out"
        /// No connection: name not found, refused, no route, reset.
        case unreachable
        /// The TLS certificate is invalid, or the handshake failed.
        case insecure
        /// The bucket is in another region, which could not be determined.
        case wrongRegion = "wrong_region"
        /// The response is not one of S3: HTML instead of XML, a wrong range, a short body.
        case malformedResponse = "malformed_response"
        /// The store refused the request for another reason (other 4xx).
        case refused
        /// The caller cancelled the request.
        case cancelled
    }

    /// `true` if attempts went on until the deadline, so that an immediate retry would probably fail as well.
    public var tookAllTime: Bool {
        switch code {
        case .throttled, .serverFault, .timedOut, .unreachable: true
        default: false
        }
    }

    /// The kind of failure.
    public let code: Code
    /// One sentence for users, without a period, with S3's own code and message if there are any. Never contains a
    /// secret.
    public let message: String
    /// The ID of the request (`x-amz-request-id`), which AWS support asks for.
    public let requestID: String?

    /// Creates a failure of this kind.
    public init(_ code: Code, _ message: String, requestID: String? = nil) {
        self.code = code
        self.message = message
        // Some stores send an empty ID.
        self.requestID = requestID?.isEmpty == true ? nil : requestID
    }
}

extension StoreError: CustomStringConvertible {
    /// The message, with the ID of the request if there is one.
    public var description: String {
        requestID.map { "\(message) (request id \($0))" } ?? message
    }
}
