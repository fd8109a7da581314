import ObjectStore
public import SystemSupport

/// Credentials that a source has given, and what it said of them.
public struct ResolvedCredentials: Sendable {
    /// Whose they are, which says how long a URL that they sign may hold ("Sharing objects with presigned URLs" in the
    /// Amazon S3 User Guide).
    public enum Kind: Sendable {
        /// A user's own keys, which hold until somebody ends them: a signed URL may hold for seven days.
        case user
        /// Temporary ones of the Security Token Service's: 36 hours at the most, and never longer than they do themselves.
        case session
        /// Those of a machine, a container or a function: 6 hours.
        case instance
    }

    /// What to sign with.
    public let credentials: Credentials
    /// Where they come from, for a person: "the profile hcp in /home/me/.aws/credentials".
    public let source: String
    /// When they end, by this machine's clock; `nil` where nobody has said so.
    public let expiry: Timestamp?
    /// Whose they are.
    public let kind: Kind

    /// Whether they stand in environment variables, which nobody can renew while a process runs.
    public var isOfEnvironment: Bool { source == EnvironmentCredentials.source }
}

extension Credentials {
    /// Credentials as a source has them. A blank or a line break in one, such as a file edited on Windows leaves at the end
    /// of a line, would be refused by the store without a reason, or end the header that it stands in.
    init(
        checking accessKeyID: String, _ secretAccessKey: String, sessionToken: String?, from source: String
    ) throws(SettingsError) {
        let values = [
            "access key id": accessKeyID, "secret access key": secretAccessKey, "session token": sessionToken,
        ]
        for (name, value) in values.sorted(by: { $0.key < $1.key }) {
            guard value?.utf8.allSatisfy(\.isVisibleASCII) ?? true else {
                throw SettingsError(
                    "the \(name) from \(source) has a blank, a line break or another character that can't be in one; "
                        + "write it again")
            }
        }
        self.init(accessKeyID: accessKeyID, secretAccessKey: secretAccessKey, sessionToken: sessionToken)
    }
}
