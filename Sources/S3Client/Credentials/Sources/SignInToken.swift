import ObjectStore
import SystemSupport

/// The token of a single sign-on in a file of the AWS CLI (`~/.aws/sso/cache`), with the means to renew it: the
/// registration of the CLI as a client, and a refresh token.
///
/// Source: botocore's SSOTokenProvider; "SSO token provider" in the AWS SDKs and Tools Reference Guide.
struct SignInToken {
    /// The time before the expiry at which the token is renewed, as in the AWS SDKs.
    static let renewalSeconds = 900

    let accessToken: String
    let expiry: Timestamp
    /// The content of the file, with members that are unknown here.
    private let document: JSONObject

    /// Parses the content of a file; `nil` if it has no valid token.
    init?(parsing text: String) {
        guard case .object(let document)? = JSONValue(parsing: Array(text.utf8)),
            let token = document["accessToken"]?.text, token.utf8.allSatisfy(\.isVisibleASCII)
        else { return nil }
        accessToken = token
        // A token without a valid expiry counts as expired.
        expiry = Self.time(document["expiresAt"]) ?? Timestamp(seconds: 0)
        self.document = document
    }

    private static func time(_ value: JSONValue?) -> Timestamp? {
        value?.text.flatMap { Timestamp(iso8601: Array($0.utf8)) }
    }

    /// Returns `true` while the token has not expired.
    func isValid(at now: Timestamp) -> Bool { now < expiry }

    /// Returns `true` if the token should be renewed.
    func isDue(at now: Timestamp) -> Bool { expiry.seconds - now.seconds < Self.renewalSeconds }

    /// Returns the body of the request for the next token (CreateToken in the OIDC API Reference of IAM Identity
    /// Center); `nil` if the user has to sign in again.
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

    /// Returns the content of the file after a renewal.
    ///
    /// - Parameter answer: The response of CreateToken.
    /// - Returns: `nil` if the response has no token.
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
