import Foundation
import TestSupport
import Testing

/// With the same profile, object and second all parts of a URL must be the same, the signature included.
@Suite struct PresignAgreementTests {
    private static let hasCLI = (try? run(pythonExecutable(), ["-c", "import awscli"]))?.status == 0

    // By default the AWS CLI signs for AWS's host of all regions, which may only redirect for a bucket elsewhere. With
    // a style it signs for the host of the region, as tractfs always does.
    private static let config = """
        [profile keys]
        aws_access_key_id = AKIAUSER
        aws_secret_access_key = user/secret+1
        s3 =
            signature_version = s3v4
            addressing_style = virtual
        [profile session]
        aws_access_key_id = ASIASESSION
        aws_secret_access_key = session/secret
        aws_session_token = a/token+with==odd/characters
        s3 =
            signature_version = s3v4
            addressing_style = virtual
        [profile auto]
        aws_access_key_id = AKIAUSER
        aws_secret_access_key = user/secret+1
        s3 =
            signature_version = s3v4
        [profile path]
        aws_access_key_id = AKIAUSER
        aws_secret_access_key = user/secret+1
        s3 =
            signature_version = s3v4
            addressing_style = path
        [profile process]
        credential_process = PROGRAM
        s3 =
            signature_version = s3v4
            addressing_style = virtual
        [profile role]
        role_arn = arn:aws:iam::123456789012:role/first
        source_profile = keys
        s3 =
            signature_version = s3v4
            addressing_style = virtual
        """

    /// The constant answer of STS, so that both programs sign with the same credentials.
    private static let assumed = """
        <AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
        <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>role/secret</SecretAccessKey>
        <SessionToken>role/token==</SessionToken><Expiration>2999-01-01T00:00:00Z</Expiration>
        </Credentials></AssumeRoleResult></AssumeRoleResponse>
        """

    private struct Call {
        let uri: String
        let profile: String
        var options: [String] = []
        var endpoint: String?
        var lifetime: Int = 3_600

        /// Options of both commands.
        var arguments: [String] {
            [uri, "--profile", profile, "--region", "eu-west-1", "--expires-in", String(lifetime)]
                + (endpoint.map { ["--endpoint-url", $0] } ?? [])
        }
    }

    private static let calls: [Call] = [
        Call(uri: "s3://bucket-one/sub-01/T1w.nii.gz", profile: "keys"),
        Call(uri: "s3://bucket-one/sub-01/T1w.nii.gz", profile: "session", lifetime: 129_600),
        Call(uri: "s3://bucket-one/sub-01/T1w.nii.gz", profile: "process", lifetime: 1),
        Call(uri: "s3://bucket-one/sub-01/T1w.nii.gz", profile: "role"),
        Call(uri: "s3://bucket-one/a b+c%20é漢🧠[]{}()!$&'*,;=:@~#?\"\\^`|<>.txt", profile: "keys", lifetime: 604_800),
        Call(uri: "s3://bucket-one/a//b/./../c", profile: "keys"),
        Call(uri: "s3://dotted.bucket.name/key", profile: "auto"),
        Call(uri: "s3://bucket-one/key", profile: "path", options: ["--addressing-style", "path"]),
        Call(
            uri: "s3://bucket-one/key", profile: "keys", options: ["--addressing-style", "virtual"],
            endpoint: "https://storage.example.org:8443"),
        Call(uri: "s3://bucket-one/a b+c", profile: "auto", endpoint: "http://127.0.0.1:9000"),
        Call(
            uri: "s3://arn:aws:s3:eu-west-1:123456789012:accesspoint/mine/sub-01/T1w.nii.gz", profile: "session"),
    ]

    @Test(.enabled(if: hasCLI, "python3 has no awscli: pip install awscli"))
    func `tractfs presign and aws s3 presign print the same URLs`() throws {
        let service = try ServiceTestServer { _ in .init(Self.assumed, headers: ["Content-Type": "text/xml"]) }
        defer { try? service.stop() }
        try withTemporaryDirectory { home throws in
            let (config, program) = (home + "/config", home + "/program")
            let document = #"{"Version":1,"AccessKeyId":"AKIAPROCESS","SecretAccessKey":"process/secret"}"#
            try "#!/bin/sh\necho '\(document)'\n".write(toFile: program, atomically: false, encoding: .utf8)
            chmod(program, 0o700)
            try Self.config.replacing("PROGRAM", with: program)
                .write(toFile: config, atomically: false, encoding: .utf8)
            let environment = environmentWithoutKeys.merging([
                "HOME": home, "AWS_CONFIG_FILE": config, "AWS_ENDPOINT_URL_STS": service.url,
            ]) { $1 }
            let ours = try Self.calls.map { call in
                try runChecked(
                    tractfsExecutable(), ["presign"] + call.arguments + call.options, environment: environment
                ).trimmingCharacters(in: .newlines)
            }
            let theirs = try reference(ours, in: home, environment: environment)
            #expect(theirs.count == ours.count)
            for (call, (ours, theirs)) in zip(Self.calls, zip(ours, theirs)) {
                #expect(ours.prefix { $0 != "?" } == theirs.prefix { $0 != "?" }, "\(call)")
                #expect(queryItems(ours) == queryItems(theirs), "\(call)")
            }
        }
    }

    /// Returns the URLs of the AWS CLI, each at the time of ours.
    private func reference(
        _ ours: [String], in directory: String, environment: [String: String]
    ) throws -> [Substring] {
        let questions = try zip(Self.calls, ours).map { call, url in
            ["date": try #require(date(url)), "arguments": call.arguments] as [String: Any]
        }
        let input = directory + "/calls.json"
        try JSONSerialization.data(withJSONObject: questions).write(to: URL(fileURLWithPath: input))
        let script = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "presign_reference.py").path
        let output = try runChecked(
            "bash", ["-c", #"exec "$0" "$1" < "$2""#, pythonExecutable(), script, input], environment: environment)
        return output.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
    }

    private func queryItems(_ url: some StringProtocol) -> Set<Substring> {
        Set(Substring(url).split(separator: "?").last.map { $0.split(separator: "&") } ?? [])
    }

    private func date(_ url: String) -> String? {
        queryItems(url).first { $0.hasPrefix("X-Amz-Date=") }.map { String($0.dropFirst("X-Amz-Date=".count)) }
    }
}
