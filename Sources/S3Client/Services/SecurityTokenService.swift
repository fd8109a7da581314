import ObjectStore
import SystemSupport

/// AWS's Security Token Service, which issues temporary credentials of a role (AWS STS API Reference).
struct SecurityTokenService {
    private let endpoint: S3Endpoint
    private let region: String
    private let connection: ServiceConnection

    /// Creates a client of the service at the configured endpoint.
    init(_ context: CredentialsContext) throws(SettingsError) {
        (endpoint, region) = try context.services.securityTokenService()
        connection = context.connection
    }

    /// The parameters of a request for a role.
    struct Role {
        var arn: String
        var sessionName: String
        var externalID: String?
        /// The lifetime of the credentials in seconds; `nil` for the service's default of an hour.
        var durationSeconds: Int?

        fileprivate func fields(action: String) -> [QueryItem] {
            [
                QueryItem("Action", action), QueryItem("Version", "2011-06-15"), QueryItem("RoleArn", arn),
                QueryItem("RoleSessionName", sessionName),
            ] + (durationSeconds.map { [QueryItem("DurationSeconds", String($0))] } ?? [])
        }
    }

    /// The reason why the service issues no credentials.
    struct Refusal: Error {
        let description: String
        /// `true` if there was no response, so that another attempt may succeed.
        var isTransient = false
    }

    /// Returns the credentials of a role for an identity with credentials (AssumeRole).
    func assume(
        _ role: Role, as credentials: Credentials
    ) throws(Refusal) -> (credentials: Credentials, expiry: Timestamp?) {
        var fields = role.fields(action: "AssumeRole")
        if let externalID = role.externalID { fields.append(QueryItem("ExternalId", externalID)) }
        let (answer, sent) = try send(fields) { request, time in
            Signer(credentials: credentials, region: region, service: "sts", time: time).signed(request)
        }
        return try self.credentials(
            in: answer, action: "AssumeRole", hiding: SecretText(sent.headers, of: credentials))
    }

    /// Returns the credentials of a role for the bearer of a token (AssumeRoleWithWebIdentity). The request is not
    /// signed.
    func assume(
        _ role: Role, withToken token: String
    ) throws(Refusal) -> (credentials: Credentials, expiry: Timestamp?) {
        let action = "AssumeRoleWithWebIdentity"
        let fields = role.fields(action: action) + [QueryItem("WebIdentityToken", token)]
        let (answer, _) = try send(fields) { request, _ in request }
        return try credentials(in: answer, action: action, hiding: SecretText([token]))
    }

    /// Sends a form. If the service's clock differs, sends it again, signed with the service's time.
    private func send(
        _ fields: [QueryItem], signing: (HTTPRequest, Timestamp) -> HTTPRequest
    ) throws(Refusal) -> (answer: ServiceConnection.Answer, sent: HTTPRequest) {
        let request = HTTPRequest(
            method: "POST", host: endpoint.authority, path: "/",
            headers: [HTTPHeader("Content-Type", "application/x-www-form-urlencoded")],
            body: Array(HTTPRequest.form(fields).utf8))
        do throws(ServiceConnection.Failure) {
            let now = Timestamp.now
            let signed = signing(request, now)
            let answer = try connection.send(signed, to: endpoint)
            guard (400..<500).contains(answer.status), let date = answer.date,
                abs(date.seconds - now.seconds) > Self.clockToleranceSeconds
            else { return (answer, signed) }
            let signedAgain = signing(request, date)
            return (try connection.send(signedAgain, to: endpoint), signedAgain)
        } catch {
            throw Refusal(description: error.description, isTransient: true)
        }
    }

    /// A little less than the five minutes for which signatures are valid.
    private static let clockToleranceSeconds = 240

    private func credentials(
        in answer: ServiceConnection.Answer, action: String, hiding secrets: SecretText
    ) throws(Refusal) -> (credentials: Credentials, expiry: Timestamp?) {
        let document = CredentialsXML(parsing: answer.body)
        guard answer.status == 200 else {
            let reason = document.code.map { "\($0): \(document.message)" } ?? "HTTP \(answer.status)"
            throw Refusal(description: secrets.removed(from: "\(endpoint) refuses \(action): \(reason)"))
        }
        guard let id = document.accessKeyID, let secret = document.secretAccessKey, let token = document.sessionToken,
            let credentials = try? Credentials(checking: id, secret, sessionToken: token, from: action)
        else { throw Refusal(description: "\(endpoint) answered \(action) with something that holds no credentials") }
        return (credentials, document.expiry?.inLocalTime(serviceTime: answer.date))
    }
}

extension Timestamp {
    /// Converts a time of a service to this machine's clock.
    ///
    /// - Parameter serviceTime: The current time by the service's clock; `nil` if unknown.
    func inLocalTime(serviceTime: Timestamp?) -> Timestamp {
        guard let serviceTime else { return self }
        return Timestamp(seconds: seconds - serviceTime.seconds + Timestamp.now.seconds, nanoseconds: nanoseconds)
    }
}
