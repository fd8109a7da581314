import ObjectStore
import SystemSupport

/// AWS's Security Token Service, which gives temporary credentials of a role (AWS STS API Reference).
struct SecurityTokenService {
    private let endpoint: S3Endpoint
    private let region: String
    private let connection: ServiceConnection

    /// The service that these settings name.
    init(_ context: CredentialsContext) throws(SettingsError) {
        (endpoint, region) = try context.services.securityTokenService()
        connection = context.connection
    }

    /// A role, and who plays it.
    struct Role {
        var arn: String
        var sessionName: String
        var externalID: String?
        /// How many seconds the credentials hold; `nil` for the service's own, which is an hour.
        var durationSeconds: Int?

        fileprivate func fields(action: String) -> [QueryItem] {
            [
                QueryItem("Action", action), QueryItem("Version", "2011-06-15"), QueryItem("RoleArn", arn),
                QueryItem("RoleSessionName", sessionName),
            ] + (durationSeconds.map { [QueryItem("DurationSeconds", String($0))] } ?? [])
        }
    }

    /// Why there are none: a sentence that ends with what the service says.
    struct Refusal: Error {
        let description: String
        /// `true` if there was no answer, which may pass.
        var mayPass = false
    }

    /// Credentials of a role that others may play (AssumeRole).
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

    /// Credentials of a role that whoever has a token may play (AssumeRoleWithWebIdentity). Not signed.
    func assume(
        _ role: Role, withToken token: String
    ) throws(Refusal) -> (credentials: Credentials, expiry: Timestamp?) {
        let action = "AssumeRoleWithWebIdentity"
        let fields = role.fields(action: action) + [QueryItem("WebIdentityToken", token)]
        let (answer, _) = try send(fields) { request, _ in request }
        return try credentials(in: answer, action: action, hiding: SecretText([token]))
    }

    /// Sends a form; where the service finds this machine's clock wrong, again by the service's.
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
            throw Refusal(description: error.description, mayPass: true)
        }
    }

    /// Signatures hold for five minutes.
    private static let clockToleranceSeconds = 240

    private func credentials(
        in answer: ServiceConnection.Answer, action: String, hiding secrets: SecretText
    ) throws(Refusal) -> (credentials: Credentials, expiry: Timestamp?) {
        let document = SecurityTokenDocument(parsing: answer.body)
        guard answer.status == 200 else {
            let reason = document.code.map { "\($0): \(document.message)" } ?? "HTTP \(answer.status)"
            throw Refusal(description: secrets.removed(from: "\(endpoint) refuses \(action): \(reason)"))
        }
        guard let id = document.accessKeyID, let secret = document.secretAccessKey, let token = document.sessionToken,
            let credentials = try? Credentials(checking: id, secret, sessionToken: token, from: action)
        else { throw Refusal(description: "\(endpoint) answered \(action) with something that holds no credentials") }
        return (credentials, document.expiry?.byOurClock(serviceTime: answer.date))
    }
}

extension Timestamp {
    /// A time of a service's as this machine's clock will show it.
    ///
    /// - Parameter serviceTime: What time it is now, as the service says.
    func byOurClock(serviceTime: Timestamp?) -> Timestamp {
        guard let serviceTime else { return self }
        return Timestamp(seconds: seconds - serviceTime.seconds + Timestamp.now.seconds, nanoseconds: nanoseconds)
    }
}
