import ObjectStore
import SystemSupport

/// The meanings of S3's error codes, and of HTTP statuses that come without a code.
///
/// Source: "List of error codes" in the Amazon S3 API Reference. `FileSystem/Errno+StoreError.swift` continues from
/// `StoreError.Code` to errno.
enum S3ErrorTable {
    /// The error that requests end with, and the remedy to try first.
    typealias Meaning = (error: StoreError.Code, remedy: AttemptFailure.Remedy)

    /// Returns the meaning of an error code; `nil` for a code that is not in the table.
    static func meaning(ofCode code: String) -> Meaning? {
        switch code {
        case "NoSuchKey": (.noSuchKey, .none)
        case "NoSuchBucket": (.noSuchBucket, .none)
        case "AccessDenied", "AllAccessDisabled", "AccountProblem": (.accessDenied, .none)
        case "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidToken", "InvalidSecurity", "InvalidClientTokenId":
            (.credentialsRejected, .renewCredentials)
        case "NotSignedUp": (.credentialsRejected, .none)
        case "ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired": (.credentialsExpired, .renewCredentials)
        case "InvalidObjectState": (.archived, .none)
        case "PreconditionFailed", "InvalidRange": (.changed, .none)
        case "SlowDown", "TooManyRequests", "RequestLimitExceeded", "Throttling", "ThrottlingException":
            (.throttled, .backOff)
        case "RequestTimeout": (.timedOut, .backOff)
        case "InternalError": (.serverFault, .backOff)
        case "ServiceUnavailable": (.throttled, .backOff)
        case "PermanentRedirect", "TemporaryRedirect": (.wrongRegion, .none)
        case "NotImplemented": (.refused, .none)
        default: nil
        }
    }

    /// Returns the meaning of an HTTP status without an error code.
    ///
    /// - Parameter isListing: `true` if the request was for a bucket, and not for an object.
    static func meaning(ofStatus status: Int, isListing: Bool) -> Meaning {
        switch status {
        case 401, 403: (.accessDenied, .none)
        case 404: (isListing ? .noSuchBucket : .noSuchKey, .none)
        case 408: (.timedOut, .backOff)
        case 412, 416: (.changed, .none)
        case 429, 503: (.throttled, .backOff)
        case 501: (.refused, .none)
        case 500...599: (.serverFault, .backOff)
        case 300..<400: (.wrongRegion, .none)
        case 100..<300: (.malformedResponse, .none)
        default: (.refused, .none)
        }
    }

    /// Returns `true` if an error that names a region refers the client to that region.
    static func isRedirect(status: Int, code: String) -> Bool {
        switch status {
        case 301, 307, 308: true
        case 400: ["AuthorizationHeaderMalformed", "IllegalLocationConstraintException", ""].contains(code)
        default: false
        }
    }

    /// Returns `true` if the error means that the store does not support the kind of request or one of its parameters.
    static func isUnknownRequest(status: Int, code: String) -> Bool {
        switch code {
        case "NotImplemented", "UnsupportedOperation", "UnsupportedParameter": true
        case "InvalidArgument", "InvalidRequest", "BadRequest", "": status == 400 || status == 501
        default: false
        }
    }
}
