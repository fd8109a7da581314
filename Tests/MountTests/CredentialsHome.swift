import Foundation
import TestSupport
import Testing

/// The sources of credentials.
enum CredentialsKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case environment, keys, process, role, roleOfRole, roleOfEnvironment, roleOfContainer, roleOfMachine, webIdentity
    case singleSignOn, renewedSignOn, container, machine

    var testDescription: String { rawValue }

    /// The options of tractfs and the AWS CLI: the profile, unless no profile has the credentials.
    var options: [String] {
        switch self {
        case .environment, .container, .machine: []
        default: ["--profile", rawValue]
        }
    }

    /// The access key id that the owner of the bucket has admitted.
    var accessKeyID: String {
        switch self {
        case .renewedSignOn: CredentialsKind.singleSignOn.accessKeyID
        default: "AKIATEST" + rawValue.uppercased()
        }
    }
}

/// A secret of this name, as long as session tokens are. Each piece of a dozen characters has `hush` in it.
func secret(_ name: String) -> String {
    (0..<60).map { "hush\($0)\(name.prefix(3))" }.joined()
}

/// A home directory that has every kind of credentials, and the services that hand them out.
final class CredentialsHome {
    /// The behavior of the services and the program.
    enum Mode: String, CaseIterable, Sendable {
        case right
        /// With credentials that have ended.
        case expired
        /// Refused, with the whole request in the answer.
        case repeating
        /// An answer that breaks off behind the secrets.
        case broken
    }

    let path: String
    private let service: ServiceTestServer
    private let machine: MetadataService

    /// Writes the files into `path`.
    init(_ path: String, service: ServiceTestServer) throws {
        self.path = path
        self.service = service
        machine = MetadataService(document: Self.document(.machine, .right))
        try FileManager.default.createDirectory(atPath: path + "/.aws/sso/cache", withIntermediateDirectories: true)
        try write(Self.config.replacing("HOME", with: path), to: ".aws/config")
        try write("#!/bin/sh\ncat '\(path)/printed'\necho '\(secret("stderr"))' >&2\n", to: "program", mode: 0o700)
        try write(secret("identity"), to: "token")
        // The SHA-1 of the sessions' names.
        try write(signIn(secondsLeft: 3_600), to: ".aws/sso/cache/\(Self.sha1OfHCP).json")
        try write(signIn(secondsLeft: -10), to: ".aws/sso/cache/\(Self.sha1OfOld).json")
        try answer(.right)
    }

    /// Sets the behavior of the services, the program and the files of keys.
    func answer(_ mode: Mode) throws {
        try write(Self.document(.process, mode, tokenName: "SessionToken"), to: "printed")
        let keys = mode == .broken ? "aws_secret_access_key \(secret("keys"))" : ""
        try write(Self.keys + keys, to: ".aws/credentials")
        let machine = machine
        service.answer { Self.answer(to: $0, mode, machine) }
    }

    /// Returns the environment in which a program finds credentials of this kind and of no other.
    func environment(for kind: CredentialsKind) -> [String: String] {
        var variables = environmentWithoutKeys.merging([
            "HOME": path, "AWS_CONFIG_FILE": path + "/.aws/config", "AWS_REGION": "us-east-1",
            "AWS_SHARED_CREDENTIALS_FILE": path + "/.aws/credentials", "AWS_ENDPOINT_URL_STS": service.url,
            "AWS_ENDPOINT_URL_SSO": service.url, "AWS_ENDPOINT_URL_SSO_OIDC": service.url,
        ]) { $1 }
        switch kind {
        case .environment, .roleOfEnvironment:
            variables["AWS_ACCESS_KEY_ID"] = CredentialsKind.environment.accessKeyID
            variables["AWS_SECRET_ACCESS_KEY"] = secret("environment")
            variables["AWS_SESSION_TOKEN"] = secret("token of the environment")
        case .container, .roleOfContainer:
            variables["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = service.url + "/container"
            variables["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = secret("authorization")
        case .machine, .roleOfMachine:
            variables["AWS_EC2_METADATA_DISABLED"] = "false"
            variables["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service.url
        default: break
        }
        return variables
    }

    private func write(_ text: String, to name: String, mode: Int = 0o600) throws {
        try text.write(toFile: "\(path)/\(name)", atomically: false, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: "\(path)/\(name)")
    }

    // MARK: - Files

    private static let sha1OfHCP = "b3a8d8419032b35338342e53ab4f75ae05eec97a"
    private static let sha1OfOld = "c00dbbc9dadfbe1e232e93a729dd4752fade0abf"

    private static let keys = """
        [keys]
        aws_access_key_id = \(CredentialsKind.keys.accessKeyID)
        aws_secret_access_key = \(secret("keys"))

        """

    private static let config = """
        [profile process]
        credential_process = HOME/program
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/role
        source_profile = keys
        [profile roleOfRole]
        role_arn = arn:aws:iam::123456789012:role/roleOfRole
        source_profile = role
        [profile roleOfEnvironment]
        role_arn = arn:aws:iam::123456789012:role/roleOfEnvironment
        credential_source = Environment
        [profile roleOfContainer]
        role_arn = arn:aws:iam::123456789012:role/roleOfContainer
        credential_source = EcsContainer
        [profile roleOfMachine]
        role_arn = arn:aws:iam::123456789012:role/roleOfMachine
        credential_source = Ec2InstanceMetadata
        [profile webIdentity]
        role_arn = arn:aws:iam::123456789012:role/webIdentity
        web_identity_token_file = HOME/token
        [sso-session hcp]
        sso_start_url = https://example.org/start
        sso_region = us-east-1
        [sso-session old]
        sso_start_url = https://example.org/start
        sso_region = us-east-1
        [profile singleSignOn]
        sso_session = hcp
        sso_account_id = 123456789012
        sso_role_name = Reader
        [profile renewedSignOn]
        sso_session = old
        sso_account_id = 123456789012
        sso_role_name = Reader
        """

    private func signIn(secondsLeft: Double) -> String {
        let format = Date.ISO8601FormatStyle()
        return """
            {"accessToken": "\(secret("access"))", "expiresAt": "\(Date(timeIntervalSinceNow: secondsLeft).formatted(format))",
            "region": "us-east-1", "startUrl": "https://example.org/start", "clientId": "client",
            "clientSecret": "\(secret("client"))", "refreshToken": "\(secret("refresh"))",
            "registrationExpiresAt": "2099-01-01T00:00:00Z"}
            """
    }

    // MARK: - Services

    private static func expiry(_ mode: Mode) -> String {
        mode == .expired ? "2020-01-01T00:00:00Z" : "2099-01-01T00:00:00Z"
    }

    /// Credentials as a program, a container and a machine give them.
    private static func document(_ kind: CredentialsKind, _ mode: Mode, tokenName: String = "Token") -> String {
        let text = """
            {"Version": 1, "Code": "Success", "AccessKeyId": "\(kind.accessKeyID)", "SecretAccessKey": "\(secret("secret"))",
            "\(tokenName)": "\(secret("session"))", "Expiration": "\(expiry(mode))"}
            """
        return mode == .broken || mode == .repeating ? String(text.dropLast(30)) : text
    }

    private static func answer(
        to request: ServiceTestServer.Request, _ mode: Mode, _ machine: MetadataService
    ) -> ServiceTestServer.Answer {
        if mode == .repeating { return repetition(of: request) }
        switch request.target.prefix(while: { $0 != "?" }) {
        case "/":
            return .init(assumed(request, mode))
        case "/federation/credentials" where request.headers["x-amz-sso_bearer_token"]?.hasPrefix("hush0") == true:
            return .init(federated(mode))
        case "/token":
            return .init(
                "{\"accessToken\":\"\(secret("access"))\",\"expiresIn\":3600,\"refreshToken\":\"\(secret("refresh"))\"}"
            )
        case "/container" where request.headers["authorization"] == secret("authorization"):
            return .init(document(.container, mode))
        case let target where target.hasPrefix("/latest/"):
            let answer = machine.answer(request)
            return answer.body == machine.document ? .init(document(.machine, mode)) : answer
        default: return .init(status: 401)
        }
    }

    /// A refusal that repeats the request, in the forms of STS and of others.
    private static func repetition(of request: ServiceTestServer.Request) -> ServiceTestServer.Answer {
        let sent = request.headers.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: " ")
        let body = (request.body.removingPercentEncoding ?? "").replacing("&", with: " ")
        let text = """
            <ErrorResponse><Error><Code>\(request.headers["authorization"] ?? "Denied")</Code>\
            <Message>\(body.suffix(150)) \(sent) \(body)</Message></Error></ErrorResponse>
            """
        return .init(text, status: 403)
    }

    private static func assumed(_ request: ServiceTestServer.Request, _ mode: Mode) -> String {
        let kind = CredentialsKind.allCases.first {
            request.body.hasSuffix("role%2F\($0.rawValue)") || request.body.contains("role%2F\($0.rawValue)&")
        }
        let action = request.body.contains("WithWebIdentity") ? "AssumeRoleWithWebIdentity" : "AssumeRole"
        let text = """
            <\(action)Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><\(action)Result><Credentials>\
            <AccessKeyId>\(kind?.accessKeyID ?? "NOBODY")</AccessKeyId><SecretAccessKey>\(secret("secret"))</SecretAccessKey>\
            <SessionToken>\(secret("session"))</SessionToken><Expiration>\(expiry(mode))</Expiration></Credentials>\
            <AssumedRoleUser><Arn>arn:aws:sts::123456789012:assumed-role/x/y</Arn><AssumedRoleId>A:y</AssumedRoleId>\
            </AssumedRoleUser></\(action)Result></\(action)Response>
            """
        return mode == .broken ? String(text.dropLast(250)) : text
    }

    private static func federated(_ mode: Mode) -> String {
        let text = """
            {"roleCredentials":{"accessKeyId":"\(CredentialsKind.singleSignOn.accessKeyID)","secretAccessKey":\
            "\(secret("secret"))","sessionToken":"\(secret("session"))","expiration":\(mode == .expired ? 1_500_000_000_000 : 4_070_908_800_000)}}
            """
        return mode == .broken ? String(text.dropLast(30)) : text
    }
}

/// A home with every kind of credentials, which is removed afterwards.
func withCredentialsHome<Result>(_ body: (CredentialsHome) throws -> Result) throws -> Result {
    try withTemporaryDirectory { path in
        try withServiceTestServer { service in try body(CredentialsHome(path, service: service)) }
    }
}
