import ObjectStore
import SystemSupport

/// Credentials as a JSON document has them: a program's, a container's, a machine's.
struct CredentialsDocument {
    /// What a document calls the session token: "SessionToken" or "Token".
    private let tokenName: String
    private let document: JSONValue

    /// - Returns: `nil` where the bytes are no JSON object.
    init?(parsing bytes: [UInt8], tokenName: String) {
        guard let document = JSONValue(parsing: bytes), case .object = document else { return nil }
        self.document = document
        self.tokenName = tokenName
    }

    /// A member that says something else than credentials, such as an error's code.
    subscript(name: String) -> JSONValue? { document[name] }

    /// The credentials.
    ///
    /// - Parameters:
    ///   - source: Whose document it is, for errors and as the credentials' source.
    ///   - serviceTime: What time it is, as whoever wrote the document says.
    func credentials(
        from source: String, kind: (_ hasToken: Bool) -> ResolvedCredentials.Kind, serviceTime: Timestamp? = nil
    ) throws(SettingsError) -> ResolvedCredentials {
        guard let id = document["AccessKeyId"]?.text, let secret = document["SecretAccessKey"]?.text else {
            throw SettingsError("\(source) gives no AccessKeyId and SecretAccessKey")
        }
        let token = document[tokenName]?.text
        return ResolvedCredentials(
            credentials: try Credentials(checking: id, secret, sessionToken: token, from: source), source: source,
            expiry: try expiry(from: source)?.byOurClock(serviceTime: serviceTime), kind: kind(token != nil))
    }

    private func expiry(from source: String) throws(SettingsError) -> Timestamp? {
        guard let text = document["Expiration"]?.text else { return nil }
        guard let time = Timestamp(iso8601: Array(text.utf8)) else {
            throw SettingsError("\(source) gives an Expiration that is no time; one is 2030-01-31T12:00:00Z")
        }
        return time
    }
}
