import ObjectStore
import SystemSupport

/// A role of IAM Identity Center, by the token that `aws sso login` has left in a file.
///
/// Source: "IAM Identity Center credential provider" in the AWS SDKs and Tools Reference Guide. The token is read anew each
/// time, so one that is renewed elsewhere counts. That of an `sso_session` is renewed here too, as the AWS CLI does it, and
/// written back for the others.
struct SingleSignOnCredentials: CredentialsSource {
    private let profile: Profile
    private let context: CredentialsContext

    init(_ profile: Profile, _ context: CredentialsContext) {
        self.profile = profile
        self.context = context
    }

    var whatIsLookedAt: String { "sso_account_id of \(profile.description)" }

    /// Where a person signs in, and what the token's file is named by.
    private struct SignIn {
        let region: String
        let cacheName: String
        /// Whether the token can be renewed: the older form of sign-in has no refresh tokens.
        let isSession: Bool
    }

    func credentials() throws(SettingsError) -> ResolvedCredentials? {
        let settings = ["sso_account_id", "sso_role_name", "sso_session", "sso_start_url"]
        guard settings.contains(where: { profile.setting($0) != nil }) else { return nil }
        let account = try profile.needed("sso_account_id")
        let role = try profile.needed("sso_role_name")
        let signIn = try signIn()
        let token = try token(signIn)
        return try roleCredentials(account: account, role: role, region: signIn.region, token: token)
    }

    private func signIn() throws(SettingsError) -> SignIn {
        guard let session = profile.setting("sso_session") else {
            return SignIn(
                region: try profile.needed("sso_region"), cacheName: try profile.needed("sso_start_url"),
                isSession: false)
        }
        guard let settings = profile.files.ssoSessions[session] else {
            throw SettingsError(
                "\(profile.description) has sso_session = \(Excerpt.of(session.utf8)), but there is no such [sso-session] "
                    + "section in \(profile.files.configPath)")
        }
        guard let region = settings["sso_region"].nonEmpty else {
            throw SettingsError(
                "[sso-session \(Excerpt.of(session.utf8))] has no sso_region; add it to \(profile.files.configPath)")
        }
        return SignIn(region: region, cacheName: session, isSession: true)
    }

    /// What a person has to do where the token is of no use.
    private var advice: String { "run: aws sso login --profile \(Excerpt.of(profile.name.utf8))" }

    private func token(_ signIn: SignIn) throws(SettingsError) -> String {
        let name = Digest.hex(Digest.sha1(Array(signIn.cacheName.utf8)))
        let path = "\(profile.files.home)/.aws/sso/cache/\(name).json"
        let token = try token(at: path)
        guard signIn.isSession, token.isDue(at: .now), let renewal = token.renewal(at: .now) else {
            if token.isValid(at: .now) { return token.accessToken }
            throw SettingsError("the sign-in of \(profile.description) has expired; \(advice)")
        }
        do throws(SettingsError) {
            return try renew(token, by: renewal, at: path, region: signIn.region)
        } catch {
            // Somebody else may have been faster, and a refresh token may count only once.
            let token = try self.token(at: path)
            if token.isValid(at: .now) { return token.accessToken }
            throw error
        }
    }

    private func token(at path: String) throws(SettingsError) -> SignInToken {
        guard let text = try SettingsFile.text(at: path) else {
            throw SettingsError("\(profile.description) has not been signed in to (there is no \(path)); \(advice)")
        }
        guard let token = SignInToken(parsing: text) else {
            throw SettingsError("\(path), the sign-in of \(profile.description), can't be read; \(advice)")
        }
        return token
    }

    /// Asks for the next token, and keeps it for all who read the file.
    private func renew(
        _ token: SignInToken, by renewal: JSONValue, at path: String, region: String
    ) throws(SettingsError) -> String {
        let region = try checked(region)
        let services = context.services
        let (custom, variant) = (try services.endpoint(of: .ssoOIDC), try services.variant())
        let endpoint = custom ?? S3Endpoint(tokenServiceInRegion: region, variant: variant)
        let request = HTTPRequest(
            method: "POST", host: endpoint.authority, path: "/token",
            headers: [HTTPHeader("Content-Type", "application/json")], body: Array("\(renewal)".utf8))
        let failure = "the sign-in of \(profile.description) has expired and can't be renewed"
        let answer: ServiceConnection.Answer
        do throws(ServiceConnection.Failure) {
            answer = try context.connection.send(request, to: endpoint)
        } catch {
            throw SettingsError("\(failure): \(error.description)", mayPass: true)
        }
        guard answer.status == 200, let text = token.renewed(by: answer.body, at: .now),
            let next = SignInToken(parsing: text)
        else { throw SettingsError("\(failure) (HTTP \(answer.status) from \(endpoint)); \(advice)") }
        // Where it can't be kept it is good for now all the same.
        try? SettingsFile.replace(path, with: text)
        return next.accessToken
    }

    private func checked(_ region: String) throws(SettingsError) -> String {
        if Region.isValid(region) { return region }
        throw SettingsError("the sso_region of \(profile.description) is no region's name; one is us-east-1")
    }

    private func roleCredentials(
        account: String, role: String, region: String, token: String
    ) throws(SettingsError) -> ResolvedCredentials {
        let region = try checked(region)
        let services = context.services
        let (custom, variant) = (try services.endpoint(of: .sso), try services.variant())
        let endpoint = custom ?? S3Endpoint(accessPortalInRegion: region, variant: variant)
        let request = HTTPRequest(
            host: endpoint.authority, path: "/federation/credentials",
            query: [QueryItem("account_id", account), QueryItem("role_name", role)],
            headers: [HTTPHeader("x-amz-sso_bearer_token", token)])
        let answer: ServiceConnection.Answer
        do throws(ServiceConnection.Failure) {
            answer = try context.connection.send(request, to: endpoint)
        } catch {
            throw SettingsError(
                "\(profile.description) gets no answer to its sign-in: \(error.description)", mayPass: true)
        }
        return try credentials(
            in: answer, endpoint: endpoint,
            source: "the role \(Excerpt.of(role.utf8)) of \(profile.description), signed in")
    }

    private func credentials(
        in answer: ServiceConnection.Answer, endpoint: S3Endpoint, source: String
    ) throws(SettingsError) -> ResolvedCredentials {
        if answer.status == 401 {
            throw SettingsError("\(endpoint) no longer takes the sign-in of \(profile.description); \(advice)")
        }
        guard answer.status == 200 else {
            throw SettingsError(
                "\(endpoint) refuses the role of \(profile.description) (HTTP \(answer.status)); check sso_account_id and "
                    + "sso_role_name")
        }
        let document = JSONValue(parsing: answer.body)?["roleCredentials"]
        guard let document, let id = document["accessKeyId"]?.text, let secret = document["secretAccessKey"]?.text
        else {
            throw SettingsError("\(endpoint) answered with something that holds no credentials")
        }
        let expiry = document["expiration"]?.integer.map { Timestamp(seconds: $0 / 1_000) }
        return ResolvedCredentials(
            credentials: try Credentials(
                checking: id, secret, sessionToken: document["sessionToken"]?.text, from: source),
            source: source, expiry: expiry?.byOurClock(serviceTime: answer.date), kind: .session)
    }
}
