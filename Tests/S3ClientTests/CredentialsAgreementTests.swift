import Foundation
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// The same files and variables, moto's STS and botocore: who are we?
@Suite struct `Credentials and botocore's` {
    private struct Reference: Decodable, Equatable {
        var id: String?
        var arn: String?
        var hasToken: Bool?
    }

    private static let config = """
        [default]
        region = us-east-1
        [profile keys]
        [profile keys-in-config]
        aws_access_key_id = CONFIGKEY
        aws_secret_access_key = configsecret
        [profile both]
        aws_access_key_id = CONFIGKEY
        aws_secret_access_key = configsecret
        [profile process]
        credential_process = PROGRAM "an argument"
        [profile process-behind-keys]
        credential_process = PROGRAM
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/first
        source_profile = keys
        role_session_name = us
        external_id = 17
        duration_seconds = 1800
        [profile role-of-role]
        role_arn = arn:aws:iam::123456789012:role/second
        source_profile = role
        role_session_name = us
        [profile role-of-process]
        role_arn = arn:aws:iam::123456789012:role/third
        source_profile = process
        role_session_name = us
        [profile role-of-environment]
        role_arn = arn:aws:iam::123456789012:role/fourth
        credential_source = Environment
        role_session_name = us
        [profile role-of-itself]
        role_arn = arn:aws:iam::123456789012:role/fifth
        source_profile = role-of-itself
        role_session_name = us
        aws_access_key_id = SELFKEY
        aws_secret_access_key = selfsecret
        [profile web-identity]
        role_arn = arn:aws:iam::123456789012:role/sixth
        web_identity_token_file = TOKEN
        role_session_name = us
        [profile role-of-web-identity]
        role_arn = arn:aws:iam::123456789012:role/seventh
        source_profile = web-identity
        role_session_name = us
        [profile circle]
        role_arn = arn:aws:iam::123456789012:role/x
        source_profile = circle-2
        [profile circle-2]
        role_arn = arn:aws:iam::123456789012:role/x
        source_profile = circle
        [profile nothing]
        region = us-east-1
        [profile broken-process]
        credential_process = /nonexistent
        """
    private static let credentials = """
        [default]
        aws_access_key_id = DEFAULTKEY
        aws_secret_access_key = defaultsecret
        [keys]
        aws_access_key_id = FILEKEY
        aws_secret_access_key = filesecret
        [both]
        aws_access_key_id = FILEKEY
        aws_secret_access_key = filesecret
        aws_session_token = filetoken
        [process-behind-keys]
        aws_access_key_id = FILEKEY
        aws_secret_access_key = filesecret
        """
    private static let profiles = [
        "-", "default", "keys", "keys-in-config", "both", "process", "process-behind-keys", "role", "role-of-role",
        "role-of-process", "role-of-environment", "role-of-itself", "web-identity", "role-of-web-identity", "circle",
        "nothing", "broken-process", "missing",
    ]

    /// Who the service takes these credentials for, as the reference's script asks it.
    private func arn(of credentials: Credentials, service: String) throws -> String {
        let identity = HTTPRequest(
            method: "POST", host: try S3Endpoint(parsing: service).authority, path: "/",
            headers: [HTTPHeader("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("Action=GetCallerIdentity&Version=2011-06-15".utf8))
        let signed = Signer(
            credentials: credentials, region: "us-east-1", service: "sts", time: .now
        ).signed(identity)
        let answer = try ServiceConnection().send(signed, to: S3Endpoint(parsing: service))
        let text = String(decoding: answer.body, as: UTF8.self)
        let start = try #require(text.firstRange(of: "<Arn>"), "\(text)").upperBound
        return String(text[start...].prefix { $0 != "<" })
    }

    private func expectAgreement(_ folder: CredentialsFolder, _ service: String, _ variables: [String: String]) throws {
        let environment = folder.environment.merging(variables) { $1 }.merging([
            "AWS_ENDPOINT_URL_STS": service, "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1",
        ]) { $1 }
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "credentials_reference.py")
        let lines = try runChecked(pythonExecutable(), [script.path] + Self.profiles, environment: environment)
            .split(separator: "\n")
        #expect(lines.count == Self.profiles.count)
        for (profile, line) in zip(Self.profiles, lines) {
            let theirs = try JSONDecoder().decode(Reference.self, from: Data(line.utf8))
            let resolved = try? CredentialsChain(environment: environment, profile: profile == "-" ? nil : profile)
                .resolve().credentials
            guard let resolved else {
                #expect(theirs.id == nil, "\(profile): botocore has \(line)")
                continue
            }
            #expect(try arn(of: resolved, service: service) == theirs.arn, "\(profile)")
            #expect((resolved.sessionToken != nil) == theirs.hasToken, "\(profile)")
            // Those of a role are others each time.
            if theirs.arn?.contains("assumed-role") == false {
                #expect(resolved.accessKeyID == theirs.id, "\(profile)")
            }
        }
    }

    @Test(
        .enabled(if: hasBotocore, "python3 has no boto3: pip install boto3"),
        arguments: [
            [:], ["AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "envsecret"],
            [
                "AWS_ACCESS_KEY_ID": "ENVKEY", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
                "AWS_PROFILE": "role",
            ],
            ["AWS_PROFILE": "web-identity"],
            [
                "AWS_WEB_IDENTITY_TOKEN_FILE": "TOKEN", "AWS_ROLE_ARN": "arn:aws:iam::123456789012:role/ofvariables",
                "AWS_ROLE_SESSION_NAME": "us",
            ],
        ])
    func `are the same for every kind of profile`(variables: [String: String]) throws {
        try withMoto { moto in
            try withCredentialsFolder(credentials: Self.credentials) { folder in
                let program = try folder.write(
                    "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"PROCESSKEY\",\"SecretAccessKey\":\"s\"}'\n",
                    to: "program", mode: 0o700)
                let token = try folder.write("token-of-somebody\n", to: "token")
                let config = Self.config.replacing("PROGRAM", with: program).replacing("TOKEN", with: token)
                try folder.write(config, to: ".aws/config")
                try expectAgreement(
                    folder, moto.endpointURL, variables.mapValues { $0.replacing("TOKEN", with: token) })
            }
        }
    }
}
