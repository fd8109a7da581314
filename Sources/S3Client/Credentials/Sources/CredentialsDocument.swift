import ObjectStore
import SystemSupport

/// A JSON document of credentials, from a program, a container or an EC2 instance.
struct CredentialsDocument {
    /// The name of the session token: "SessionToken" or "Token".
    private let tokenName: String
    private let document: JSONValue

    /// Parses a document; `nil` if the bytes are not a JSON object.
    init?(parsing bytes: [UInt8], tokenName: String) {
        guard let document = JSONValue(parsing: bytes), case .object = document else { return nil }
        self.document = document
        self.tokenName = tokenName
    }

    /// Returns a member other than the credentials, such as an error code.
    subscript(name: String) -> JSONValue? { document[name] }

    /// Returns the credentials.
    ///
    /// - Parameters:
    ///   - source: The source of the document, for errors and for the credentials.
    ///   - serviceTime: The current time by the clock of the document's author.
    func credentials(
        from source: String, kind: (_ hasToken: Bool) -> ResolvedCredentials.Kind, serviceTime: Timestamp? = nil
    ) throws(SettingsError) -> ResolvedCredentials {
        guard let id = document["AccessKeyId"]?.text, let secret = document["SecretAccessKey"]?.text else {
            throw SettingsError("\(source) has no AccessKeyId and SecretAccessKey")
        }
        let token = document[tokenName]?.text
        return ResolvedCredentials(
            credentials: try Credentials(checking: id, secret, sessionToken: token, from: source), source: source,
            expiry: try expiry(from: source)?.inLocalTime(serviceTime: serviceTime), kind: kind(token != nil))
    }

    private func expiry(from source: String) throws(SettingsError) -> Timestamp? {
        guard let text = document["Expiration"]?.text else { return nil }
        guard let time = Timestamp(iso8601: Array(text.utf8)) else {
            throw SettingsError("\(source) has an invalid Expiration (expected RFC 3339, as in 2030-01-31T12:00:00Z)")
        }
        return time
    }
}
