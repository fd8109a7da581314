import Foundation
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// A document of a container, a machine or a program.
private func document(
    id: String = "DOCUMENTID", token: String = "Token", expiry: String = "2099-01-01T00:00:00Z", more: String = ""
) -> String {
    #"{"AccessKeyId":"\#(id)","SecretAccessKey":"\#(hush)s","\#(token)":"\#(hush)t","Expiration":"\#(expiry)"\#(more)}"#
}

/// Expects a failure in one line that has these words and no secret.
private func expect(
    _ result: Result<ResolvedCredentials, SettingsError>, says words: [String],
    sourceLocation: SourceLocation = #_sourceLocation
) {
    let message = result.message ?? "no error"
    for word in words { #expect(message.contains(word), sourceLocation: sourceLocation) }
    #expect(!message.contains(hush) && !message.contains("\n"), sourceLocation: sourceLocation)
}

@Suite struct `Credentials of the environment` {
    @Test func `may say when they end`() throws {
        try withCredentialsFolder { folder in
            let variables = [
                "AWS_ACCESS_KEY_ID": "ENV", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t",
                "AWS_CREDENTIAL_EXPIRATION": "2099-01-01T01:00:00+01:00",
            ]
            let found = try folder.resolve(variables).get()
            #expect(found.expiry == Timestamp(year: 2099, month: 1, day: 1))
            #expect(found.kind == .session)
            let odd = folder.resolve(variables.merging(["AWS_CREDENTIAL_EXPIRATION": "soon"]) { $1 })
            expect(odd, says: ["AWS_CREDENTIAL_EXPIRATION"])
        }
    }
}

@Suite struct `Credentials of a program` {
    private func resolve(
        _ command: String, script: String = ""
    ) throws -> Result<ResolvedCredentials, SettingsError> {
        try withCredentialsFolder { folder in
            try folder.write("#!/bin/sh\n\(script)\n", to: "give keys", mode: 0o700)
            let command = command.replacing("PROGRAM", with: "'\(folder.path)/give keys'")
            try folder.write(config: "[profile p]\ncredential_process = \(command)\n")
            return folder.resolve(profile: "p")
        }
    }

    private let output = document(token: "SessionToken", more: #","Version":1"#)

    @Test func `are what it prints`() throws {
        let found = try resolve("PROGRAM '\(output)' \"a \\\" b\"", script: "[ \"$2\" = 'a \" b' ] && echo \"$1\"")
            .get()
        #expect(found.credentials.accessKeyID == "DOCUMENTID")
        #expect(found.credentials.sessionToken == hush + "t")
        #expect(found.expiry == Timestamp(year: 2099, month: 1, day: 1))
        #expect(found.source == "the credential_process of the profile p")
    }

    @Test(arguments: [
        ("/nonexistent/program", "", ["credential_process of the profile p", "/nonexistent/program"]),
        ("PROGRAM", "echo \(hush); echo \(hush) >&2; exit 3", ["profile p", "status 3"]),
        ("PROGRAM", "kill -9 $$", ["signal 9"]), ("PROGRAM", "echo \(hush)", ["no JSON"]),
        ("PROGRAM", "echo '{\"Version\": 2, \"SecretAccessKey\": \"\(hush)\"}'", ["\"Version\": 1"]),
        ("PROGRAM", "echo '{\"Version\": 1, \"SecretAccessKey\": \"\(hush)\"}'", ["AccessKeyId"]),
        ("PROGRAM 'x", "", ["quotation mark"]), ("PROGRAM", "yes \(hush)", ["printed too much"]),
    ])
    func `fail in a line that tells nothing of what it prints`(
        command: String, script: String, words: [String]
    ) throws {
        expect(try resolve(command, script: script), says: words)
    }
}

@Suite struct `Words of a command` {
    @Test(
        arguments: [
            ("a b", ["a", "b"]), ("  a\tb ", ["a", "b"]), ("'a b'c", ["a bc"]), (#""a \" \\ \n""#, [#"a " \ \n"#]),
            (#"a\ b"#, ["a b"]), ("''", [""]), ("", []), ("'a", nil), ("\"a", nil), ("a\\", nil),
            ("$HOME ~", ["$HOME", "~"]),
        ] as [(String, [String]?)])
    func `are a shell's`(command: String, words: [String]?) {
        #expect(ShellWords.split(command) == words)
    }
}

@Suite struct `Credentials of a container` {
    private let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI"

    @Test func `are asked for with the token, of a variable or a file`() throws {
        try withServiceTestServer(answering: { _ in .init(document()) }) { server in
            try withCredentialsFolder { folder in
                let file = try folder.write("\(hush)-2\n", to: "token")
                var variables = [
                    variable: "\(server.url)/v1/x?a=b%20c", "AWS_CONTAINER_AUTHORIZATION_TOKEN": hush + "-1",
                ]
                let found = try folder.resolve(variables).get()
                #expect(found.credentials.accessKeyID == "DOCUMENTID")
                #expect(found.kind == .instance)
                variables["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = file
                _ = try folder.resolve(variables).get()
                #expect(server.log.map(\.target) == ["/v1/x?a=b%20c", "/v1/x?a=b%20c"])
                #expect(server.log.map { $0.headers["authorization"] } == [hush + "-1", hush + "-2"])
            }
        }
    }

    @Test(arguments: [
        (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://example.org/x"], ["example.org", "https"]),
        (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1.example.org/x"], ["example.org", "https"]),
        (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "ftp://x"], ["AWS_CONTAINER_CREDENTIALS_FULL_URI"]),
        (["AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"], ["can't connect", "127.0.0.1:1"]),
        (["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "x"], ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]),
        (
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": "\(hush)\r\nX: y",
            ], ["AWS_CONTAINER_AUTHORIZATION_TOKEN has a line break"]
        ),
        (
            [
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nonexistent",
            ], ["/nonexistent", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"]
        ),
    ])
    func `that can't be had are an error that names the variable or the address`(
        variables: [String: String], words: [String]
    ) throws {
        try withCredentialsFolder { folder in expect(folder.resolve(variables), says: words) }
    }

    @Test(arguments: [
        (ServiceTestServer.Answer(hush, status: 403), ["HTTP 403"]), (.init(hush), ["holds no credentials"]),
        (.init("{\"Token\":\"\(hush)\"}"), ["AccessKeyId"]), (.init(document(expiry: hush)), ["Expiration"]),
        (.silence, ["127.0.0.1"]),
    ])
    func `that are refused, broken or never come are an error`(
        answer: ServiceTestServer.Answer, words: [String]
    ) throws {
        try withServiceTestServer(answering: { _ in answer }) { server in
            try withCredentialsFolder { folder in expect(folder.resolve([variable: server.url]), says: words) }
        }
    }

    @Test func `are asked for again where the service is busy`() throws {
        try withServiceTestServer { server in
            server.answer { _ in server.log.count < 3 ? .init(status: 503) : .init(document()) }
            try withCredentialsFolder { folder in
                try #expect(folder.resolve([variable: server.url]).get().credentials.accessKeyID == "DOCUMENTID")
                #expect(server.log.count == 3)
            }
        }
    }
}

@Suite struct `Credentials of a machine` {
    private func variables(_ server: ServiceTestServer) -> [String: String] {
        ["AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": server.url]
    }

    @Test func `are those of its role, asked for by version 2`() throws {
        let service = MetadataService(document: document(more: #","Code":"Success""#))
        try withServiceTestServer(answering: service.answer) { server in
            try withCredentialsFolder { folder in
                let found = try folder.resolve(variables(server)).get()
                #expect(found.credentials.accessKeyID == "DOCUMENTID")
                #expect(found.source == "the role tract-role of this EC2 machine")
                #expect(found.kind == .instance)
                #expect(server.log.map(\.method) == ["PUT", "GET", "GET"])
            }
        }
    }

    @Test func `that have ended are used on, since the service knows better`() throws {
        let service = MetadataService(document: document(expiry: "2020-01-01T00:00:00Z"))
        try withServiceTestServer(answering: service.answer) { server in
            try withCredentialsFolder { folder in
                let expiry = try folder.resolve(variables(server)).get().expiry
                #expect(expiry ?? Timestamp(seconds: 0) > .now)
            }
        }
    }

    @Test func `end by the service's clock, not by this machine's`() throws {
        let service = MetadataService(document: document(expiry: "2020-01-01T01:00:00Z"))
        try withServiceTestServer(answering: { request in
            var answer = service.answer(request)
            answer.headers = ["Date": "Wed, 01 Jan 2020 00:00:00 GMT"]
            return answer
        }) { server in
            try withCredentialsFolder { folder in
                let expiry = try #require(try folder.resolve(variables(server)).get().expiry)
                #expect(abs(expiry.seconds - Timestamp.now.seconds - 3_600) < 60)
            }
        }
    }

    @Test func `without a role are none, without a service too`() throws {
        var service = MetadataService(document: "")
        service.role = nil
        try withServiceTestServer(answering: service.answer) { server in
            try withCredentialsFolder { folder in
                expect(folder.resolve(variables(server)), says: ["no AWS credentials found", "EC2 machine"])
                server.answer { _ in .init(status: 403) }
                expect(folder.resolve(variables(server)), says: ["no AWS credentials found"])
            }
        }
        try withCredentialsFolder { folder in
            let nowhere = [
                "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1",
            ]
            expect(folder.resolve(nowhere), says: ["no AWS credentials found"])
            expect(folder.resolve(), says: ["no AWS credentials found", "AWS_EC2_METADATA_DISABLED"])
        }
    }

    @Test func `that never come because of the hop limit say so, after three tries`() throws {
        try withServiceTestServer(answering: { _ in .silence }) { server in
            try withCredentialsFolder { folder in
                expect(folder.resolve(variables(server)), says: ["hop limit", "AWS_EC2_METADATA_DISABLED"])
                #expect(server.log.count == 3)
            }
        }
    }

    @Test func `of a role that can't be played are an error`() throws {
        let service = MetadataService(document: #"{"Code":"AssumeRoleUnauthorizedAccess","Message":"x"}"#)
        try withServiceTestServer(answering: service.answer) { server in
            try withCredentialsFolder { folder in
                expect(folder.resolve(variables(server)), says: ["AssumeRoleUnauthorizedAccess", "tract-role"])
            }
        }
    }
}

@Suite struct `Credentials of single sign-on` {
    private let config = """
        [sso-session hcp]
        sso_start_url = https://example.org/start
        sso_region = us-east-1
        [profile new]
        sso_session = hcp
        sso_account_id = 123456789012
        sso_role_name = Reader
        [profile old]
        sso_start_url = https://example.org/start
        sso_region = us-east-1
        sso_account_id = 123456789012
        sso_role_name = Reader
        [profile half]
        sso_session = hcp
        sso_account_id = 123456789012
        [profile lost]
        sso_session = nothing
        sso_account_id = 123456789012
        sso_role_name = Reader
        """
    private let answer = """
        {"roleCredentials":{"accessKeyId":"SSOID","secretAccessKey":"\(hush)s","sessionToken":"\(hush)t",\
        "expiration":4070908800000}}
        """

    private func token(expiresAt: String = "2099-01-01T00:00:00UTC") -> String {
        #"{"accessToken": "\#(hush)-token", "expiresAt": "\#(expiresAt)", "region": "us-east-1"}"#
    }

    /// The token's file, named by the SHA-1 of the session's name or the URL.
    private func fileName(of name: String) -> String {
        ".aws/sso/cache/\(Digest.hex(Digest.sha1(Array(name.utf8)))).json"
    }

    @Test(arguments: [("new", "hcp"), ("old", "https://example.org/start")])
    func `come for the token that was left by a sign-in`(profile: String, cacheName: String) throws {
        let answer = answer
        try withServiceTestServer(answering: { _ in .init(answer) }) { server in
            try withCredentialsFolder(config: config) { folder in
                try folder.write(token(), to: fileName(of: cacheName))
                let found = try folder.resolve(["AWS_ENDPOINT_URL_SSO": server.url], profile: profile).get()
                #expect(found.credentials.accessKeyID == "SSOID")
                #expect(found.expiry == Timestamp(seconds: 4_070_908_800))
                #expect(server.log[0].target == "/federation/credentials?account_id=123456789012&role_name=Reader")
                #expect(server.log[0].headers["x-amz-sso_bearer_token"] == hush + "-token")
            }
        }
    }

    @Test func `say how to sign in where the token is missing, over, broken or refused`() throws {
        let advice = "aws sso login --profile new"
        try withServiceTestServer(answering: { _ in .init(hush, status: 401) }) { server in
            try withCredentialsFolder(config: config) { folder in
                let variables = ["AWS_ENDPOINT_URL_SSO": server.url]
                expect(folder.resolve(variables, profile: "new"), says: ["not been signed in", advice])
                for text in [token(expiresAt: "2020-01-01T00:00:00Z"), "{\(hush)", "{}", token()] {
                    try folder.write(text, to: fileName(of: "hcp"))
                    expect(folder.resolve(variables, profile: "new"), says: ["profile new", advice])
                }
                #expect(server.log.count == 1)
                server.answer { _ in .init(hush, status: 403) }
                expect(folder.resolve(variables, profile: "new"), says: ["HTTP 403", "sso_role_name"])
                server.answer { _ in .init(hush) }
                expect(folder.resolve(variables, profile: "new"), says: ["no credentials"])
            }
        }
    }

    /// What the AWS CLI leaves behind where the session has `sso_registration_scopes`.
    private func renewableToken(secondsLeft: Int, registrationEnd: String = "2099-01-01T00:00:00Z") -> String {
        let end = Timestamp(seconds: Timestamp.now.seconds + secondsLeft).utcText
        return """
            {"accessToken": "\(hush)-old", "expiresAt": "\(end)", "region": "us-east-1", "clientId": "client-\(hush)",\
             "clientSecret": "\(hush)-secret", "registrationExpiresAt": "\(registrationEnd)", "other": [1.5, "é"],\
             "refreshToken": "\(hush)-refresh-1"}
            """
    }

    /// The token service and the access portal in one: takes each refresh token once, and only the newest access token.
    private func portal(_ request: ServiceTestServer.Request) -> ServiceTestServer.Answer {
        let asked = JSONValue(parsing: Array(request.body.utf8))
        switch (request.target, asked?["refreshToken"]?.text, request.headers["x-amz-sso_bearer_token"]) {
        case ("/token", hush + "-refresh-1", nil)
        where asked?["grantType"]?.text == "refresh_token" && asked?["clientId"]?.text == "client-\(hush)"
            && asked?["clientSecret"]?.text == hush + "-secret":
            return .init(
                #"{"accessToken":"\#(hush)-new","expiresIn":3600,"refreshToken":"\#(hush)-refresh-2","tokenType":"Bearer"}"#
            )
        case ("/token", _, _): return .init(#"{"error":"invalid_grant","hush":"\#(hush)"}"#, status: 400)
        case (_, _, hush + "-new"): return .init(answer)
        default: return .init(hush, status: 401)
        }
    }

    @Test(arguments: [-10, 600])
    func `come for a token that is renewed before its end or after, and kept as the AWS CLI keeps it`(
        secondsLeft: Int
    ) throws {
        try withServiceTestServer(answering: portal) { server in
            try withCredentialsFolder(config: config) { folder in
                let variables = ["AWS_ENDPOINT_URL_SSO": server.url, "AWS_ENDPOINT_URL_SSO_OIDC": server.url]
                let file = try folder.write(
                    renewableToken(secondsLeft: secondsLeft), to: fileName(of: "hcp"), mode: 0o644)
                try #expect(folder.resolve(variables, profile: "new").get().credentials.accessKeyID == "SSOID")
                let kept = try JSONSerialization.jsonObject(with: Data(contentsOf: URL(filePath: file)))
                let members = try #require(kept as? [String: Any])
                #expect(members["accessToken"] as? String == hush + "-new")
                #expect(members["refreshToken"] as? String == hush + "-refresh-2")
                #expect(members["clientSecret"] as? String == hush + "-secret")
                #expect((members["other"] as? [Any])?.last as? String == "é")
                let end = Timestamp(iso8601: Array((members["expiresAt"] as? String ?? "").utf8))
                #expect(abs((end?.seconds ?? 0) - Timestamp.now.seconds - 3_600) < 60)
                let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
                #expect(mode == 0o600)
                let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder.path)/.aws/sso/cache")
                #expect(names.count == 1)
                // The next time there is nothing to renew.
                _ = try folder.resolve(variables, profile: "new").get()
                #expect(server.log.map(\.target).count { $0 == "/token" } == 1)
            }
        }
    }

    @Test func `say how to sign in where the token can't be renewed, and use it while it holds`() throws {
        let advice = "aws sso login --profile new"
        try withServiceTestServer(answering: { _ in .init(hush, status: 400) }) { server in
            try withCredentialsFolder(config: config) { folder in
                let variables = ["AWS_ENDPOINT_URL_SSO": server.url, "AWS_ENDPOINT_URL_SSO_OIDC": server.url]
                let over = renewableToken(secondsLeft: -10)
                try folder.write(over, to: fileName(of: "hcp"))
                expect(folder.resolve(variables, profile: "new"), says: ["can't be renewed (HTTP 400", advice])
                server.answer { _ in .init(hush) }
                expect(folder.resolve(variables, profile: "new"), says: ["can't be renewed (HTTP 200", advice])
                #expect(server.log.count == 2)
                let unregistered = renewableToken(secondsLeft: -10, registrationEnd: "2020-01-01T00:00:00Z")
                try folder.write(unregistered, to: fileName(of: "hcp"))
                expect(folder.resolve(variables, profile: "new"), says: ["has expired", advice])
                #expect(server.log.count == 2)
                // Somebody else has the next one already.
                try folder.write(over, to: fileName(of: "hcp"))
                let (file, answer) = (fileName(of: "hcp"), answer)
                server.answer { request in
                    guard request.target == "/token" else { return .init(answer) }
                    _ = try? folder.write(self.token(), to: file)
                    return .init(status: 400)
                }
                try #expect(folder.resolve(variables, profile: "new").get().credentials.accessKeyID == "SSOID")
                try folder.write(renewableToken(secondsLeft: 600), to: fileName(of: "hcp"))
                server.answer { $0.target == "/token" ? .init(status: 400) : .init(answer) }
                try #expect(folder.resolve(variables, profile: "new").get().credentials.accessKeyID == "SSOID")
                #expect(server.log.last?.headers["x-amz-sso_bearer_token"] == hush + "-old")
            }
        }
    }

    @Test func `of a profile that lacks something say what`() throws {
        try withCredentialsFolder(config: config) { folder in
            expect(folder.resolve(profile: "half"), says: ["profile half", "sso_role_name"])
            expect(folder.resolve(profile: "lost"), says: ["profile lost", "[sso-session]", "nothing"])
        }
    }
}

@Suite struct `Roles that can't be assumed` {
    @Test(arguments: [
        ("[profile p]\nrole_arn = r\n", ["profile p", "source_profile", "credential_source"]),
        ("[profile p]\nrole_arn = r\nsource_profile = q\ncredential_source = Environment", ["profile p", "both"]),
        ("[profile p]\nrole_arn = r\nsource_profile = q", ["profile p", "q", "doesn't exist"]),
        ("[profile p]\nrole_arn = r\nsource_profile = p", ["p → p"]),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nrole_arn = s\nsource_profile = p",
            ["circle: p → q → p"]
        ),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\nregion = eu-west-1",
            ["profile q", "no credentials"]
        ),
        ("[profile p]\nrole_arn = r\ncredential_source = Moon", ["profile p", "Moon", "Environment"]),
        ("[profile p]\nrole_arn = r\ncredential_source = Environment", ["Environment", "AWS_ACCESS_KEY_ID"]),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\nmfa_serial = m\n[profile q]\naws_access_key_id = a",
            ["profile p", "mfa_serial"]
        ),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\nduration_seconds = 5\n[profile q]\naws_access_key_id = a",
            ["duration_seconds", "900"]
        ),
        (
            "[profile p]\nrole_arn = r\nsource_profile = q\n[profile q]\naws_access_key_id = a",
            ["profile q", "aws_secret_access_key"]
        ),
        ("[profile p]\nweb_identity_token_file = /nonexistent", ["web_identity_token_file", "role_arn"]),
        ("[profile p]\nweb_identity_token_file = /nonexistent\nrole_arn = r", ["/nonexistent", "profile p"]),
        ("[profile p]\nweb_identity_token_file = /dev/null\nrole_arn = r", ["/dev/null", "holds no token"]),
        ("[profile p]\nlogin_session = x", ["aws login", "credential_process"]),
    ])
    func `because of their profile say why`(config: String, words: [String]) throws {
        try withCredentialsFolder(config: config) { folder in expect(folder.resolve(profile: "p"), says: words) }
    }

    @Test(arguments: [
        (
            ServiceTestServer.Answer(
                """
                <ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not authorized for \(hush)secret
                The canonical string: \(hush)</Message></Error></ErrorResponse>
                """, status: 403), ["AccessDenied", "not authorized", "profile q"]
        ),
        (.init("<html>\(hush)", status: 502), ["HTTP 502"]), (.init("<a/>"), ["no credentials"]),
    ])
    func `because the service says no repeat what it says, and no secret`(
        answer: ServiceTestServer.Answer, words: [String]
    ) throws {
        let config = "[profile p]\nrole_arn = arn:r\nsource_profile = q\nregion = us-east-1\n"
        let keys = "[q]\naws_access_key_id = QQQQ\naws_secret_access_key = \(hush)secret\n"
        try withServiceTestServer(answering: { _ in answer }) { server in
            try withCredentialsFolder(config: config, credentials: keys) { folder in
                let result = folder.resolve(["AWS_ENDPOINT_URL_STS": server.url], profile: "p")
                expect(result, says: ["profile p", "arn:r"] + words)
            }
        }
    }

    @Test func `are asked for by the service's clock where this machine's is wrong`() throws {
        let config = "[profile p]\nrole_arn = arn:r\nsource_profile = q\n"
        let keys = "[q]\naws_access_key_id = QQQQ\naws_secret_access_key = \(hush)secret\n"
        try withServiceTestServer(answering: { request in
            let isRight = request.headers["x-amz-date"]?.hasPrefix("20200101T0000") == true
            let credentials = """
                <R><A><Credentials><AccessKeyId>STSID</AccessKeyId><SecretAccessKey>s</SecretAccessKey>\
                <SessionToken>t</SessionToken><Expiration>2020-01-01T01:00:00Z</Expiration></Credentials></A></R>
                """
            let date = ["Date": "Wed, 01 Jan 2020 00:00:00 GMT"]
            return isRight
                ? .init(credentials, headers: date)
                : .init("<E><Error><Code>SignatureDoesNotMatch</Code></Error></E>", status: 403, headers: date)
        }) { server in
            try withCredentialsFolder(config: config, credentials: keys) { folder in
                let found = try folder.resolve(["AWS_ENDPOINT_URL_STS": server.url], profile: "p").get()
                #expect(found.credentials.accessKeyID == "STSID")
                #expect(abs((found.expiry?.seconds ?? 0) - Timestamp.now.seconds - 3_600) < 60)
                #expect(server.log.count == 2)
                #expect(
                    server.log[1].headers["authorization"]?.contains("/20200101/us-east-1/sts/aws4_request") == true)
            }
        }
    }
}
