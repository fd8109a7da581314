/// What a request is signed with.
///
/// Every way to print it shows the last four characters of the key's id and nothing else.
public struct Credentials: Hashable, Sendable {
    /// The access key's id, which is not secret.
    public let accessKeyID: String
    let secretAccessKey: String
    let sessionToken: String?
    /// The requests that they are for.
    let purpose: Purpose

    /// The requests that credentials sign.
    enum Purpose: Sendable {
        /// Those of a user or a role.
        case account
        /// Those to the objects of one directory bucket: the credentials are a session's of CreateSession.
        case bucketSession
    }

    /// Credentials of a user, or (with a session token) temporary ones of a role.
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

    /// The same as credentials of a directory bucket's session.
    var ofBucketSession: Credentials {
        Credentials(
            accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken,
            purpose: .bucketSession)
    }
}

extension Credentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The last four characters of the key's id.
    public var description: String { "access key …\(accessKeyID.suffix(4))" }

    /// The same as `description`.
    public var debugDescription: String { description }

    /// Nothing to see, so that `dump` shows no secret either.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
