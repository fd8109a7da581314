import ObjectStore
public import SystemSupport

/// Credentials with the information that their source has given.
public struct ResolvedCredentials: Sendable {
    /// The kind of credentials, which limits the validity of URLs that they sign ("Sharing objects with presigned URLs"
    /// in the Amazon S3 User Guide).
    public enum Kind: Sendable {
        /// A user's own keys, which have no expiry. A presigned URL is valid for at most seven days.
        case user
        /// Temporary credentials of the Security Token Service. A presigned URL is valid for at most 36 hours, and not
        /// longer than the credentials.
        case session
        /// Credentials of an instance, a container or a function. A presigned URL is valid for at most 6 hours.
        case instance
    }

    /// The credentials.
    public let credentials: Credentials
    /// The source, for messages: "the profile hcp in /home/me/.aws/credentials".
    public let source: String
    /// The expiry, by this machine's clock; `nil` if unknown.
    public let expiry: Timestamp?
    /// The kind of credentials.
    public let kind: Kind

    /// `true` if the credentials come from environment variables, which cannot change while the process runs.
    public var isFromEnvironment: Bool { source == EnvironmentCredentials.source }
}

extension Credentials {
    /// Creates credentials from the values of a source. A space or line break in one, such as the carriage return of a
    /// file edited on Windows, would be refused by the store without a reason, or end the header that contains it.
    init(
        checking accessKeyID: String, _ secretAccessKey: String, sessionToken: String?, from source: String
    ) throws(SettingsError) {
        let values = [
            "access key id": accessKeyID, "secret access key": secretAccessKey, "session token": sessionToken,
        ]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard value?.utf8.allSatisfy(\.isVisibleASCII) ?? true else {
                throw SettingsError(
                    "the \(name) from \(source) has a space, a line break or another character that is not allowed; "
                        + "write it again")
            }
        }
        self.init(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken)
    }
}
