/// The credentials that requests are signed with.
///
/// All printed forms show only the last four characters of the access key id.
public struct Credentials: Hashable, Sendable {
    /// The access key id, which is not secret.
    public let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?
    /// The kind of requests that the credentials sign.
    let purpose: Purpose

    /// A kind of requests.
    enum Purpose: Sendable {
        /// Requests of a user or a role.
        case account
        /// Requests for objects of one directory bucket; the credentials are those of a session (CreateSession).
        case bucketSession
    }

    /// Creates the credentials of a user, or with a session token the temporary credentials of a role.
    public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil) {
        self.init(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken, purpose: .account)
    }

    private init(accessKeyID: String, secretAccessKey: String, sessionToken: String?, purpose: Purpose) {
        self.accessKeyID = accessKeyID
        self.secretAccessKey = secretAccessKey
        self.sessionToken = sessionToken
        self.purpose = purpose
    }

    /// The same credentials, as those of a directory bucket's session.
    var ofBucketSession: Credentials {
        Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken,
            purpose: .bucketSession)
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The last four characters of the access key id.
    public var description: String { "access key …\(accessKeyID.suffix(4))" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// An empty mirror, so that `dump` does not print secrets.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
