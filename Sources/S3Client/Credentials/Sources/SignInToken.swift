import ObjectStore
import SystemSupport

/// The token that a person who signed in has left in a file of the AWS CLI's (`~/.aws/sso/cache`), and what it can be
/// renewed with: the CLI's registration as a client, and a refresh token.
///
/// Source: botocore's SSOTokenProvider; "SSO token provider" in the AWS SDKs and Tools Reference Guide.
struct SignInToken {
    /// So long before its end it is renewed, as by the AWS SDKs.
    static let renewalSeconds = 900

    let accessToken: String
    let expiry: Timestamp
    /// All of the file, also what nobody here knows.
    private let document: JSONObject

    /// - Returns: `nil` where the file has no token that could be sent.
    init?(parsing text: String) {
        guard case .object(let document)? = JSONValue(parsing: Array(text.utf8)),
            let token = document["accessToken"]?.text, token.utf8.allSatisfy(\.isVisibleASCII)
        else { return nil }
        accessToken = token
        // Without a time that can be read it counts as over.
        expiry = Self.time(document["expiresAt"]) ?? Timestamp(seconds: 0)
        self.document = document
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.text.flatMap { Timestamp(iso8601: Array($0.utf8)) }
    }

    /// Whether it can be used.
    func isValid(at now: Timestamp) -> Bool { now < expiry }

    /// Whether it is time to renew it.
    func isDue(at now: Timestamp) -> Bool { expiry.seconds - now.seconds < Self.renewalSeconds }

    /// What asks for the next one (CreateToken in the OIDC API Reference of IAM Identity Center); `nil` where the person
    /// has to sign in again.
    func renewal(at now: Timestamp) -> JSONValue? {
        guard let client = document["clientId"]?.text, let secret = document["clientSecret"]?.text,
            let token = document["refreshToken"]?.text, let end = Self.time(document["registrationExpiresAt"]),
            now < end
        else { return nil }
        return .object([
            "grantType": .string("refresh_token"), "clientId": .string(client), "clientSecret": .string(secret),
            "refreshToken": .string(token),
        ])
    }

    /// What the file says after a renewal.
    ///
    /// - Parameter answer: CreateToken's.
    /// - Returns: `nil` where the answer has no token.
    func renewed(by answer: [UInt8], at now: Timestamp) -> String? {
        guard let answer = JSONValue(parsing: answer), let token = answer["accessToken"]?.text,
            let seconds = answer["expiresIn"]?.integer
        else { return nil }
        var renewed = document
        renewed["accessToken"] = .string(token)
        renewed["expiresAt"] = .string(Timestamp(seconds: now.seconds + seconds).utcText)
        if let next = answer["refreshToken"]?.text { renewed["refreshToken"] = .string(next) }
        return "\(renewed)"
    }
}
