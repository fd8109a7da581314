import Foundation
import ObjectStore
import TestSupport
import Testing

/// PyPI's awscli lists the same entries as a mount, with the same profiles and server.
@Suite(mounts) struct CommandLineInterfaceTests {
    private static let hasCLI = (try? run(pythonExecutable(), ["-c", "import awscli"]))?.status == 0

    private static let config = """
        [default]
        region = us-east-1
        [profile keys]
        region = us-east-1
        aws_access_key_id = ID
        aws_secret_access_key = SECRET
        [profile process]
        region = us-east-1
        credential_process = PROGRAM
        [profile role]
        region = us-east-1
        role_arn = arn:aws:iam::123456789012:role/first
        source_profile = keys
        [profile role-of-role]
        region = us-east-1
        role_arn = arn:aws:iam::123456789012:role/second
        source_profile = role
        [profile web-identity]
        region = us-east-1
        role_arn = arn:aws:iam::123456789012:role/third
        web_identity_token_file = TOKEN
        [profile circle]
        region = us-east-1
        role_arn = arn:aws:iam::123456789012:role/fourth
        source_profile = circle
        [profile nothing]
        region = us-east-1
        """

    /// Returns the output of `aws s3 ls`, or `nil` if it fails.
    private func listing(_ options: [String], _ environment: [String: String]) throws -> [String]? {
        // The AWS CLI has no default region of its own.
        let environment = environment.merging(["AWS_DEFAULT_REGION": "us-east-1"]) { $1 }
        // For botocore an empty variable of a container is set.
        let unset = environment.filter { $0.value.isEmpty }.flatMap { ["-u", $0.key] }
        let result = try run(
            "env", unset + [pythonExecutable(), "-m", "awscli", "s3", "ls", "s3://agreed/"] + options,
            environment: environment)
        guard result.status == 0 else { return nil }
        return result.output.split(separator: "\n").compactMap { $0.split(separator: " ").last.map(String.init) }
            .sorted()
    }

    /// Returns the entries of a mount, or `nil` if mounting fails.
    private func mounted(_ options: [String], _ environment: [String: String]) throws -> [String]? {
        do {
            return try withMount(
                uri: "s3://agreed", options: options + ["--no-cache"], environment: environment
            ) { try FileManager.default.contentsOfDirectory(atPath: $0).sorted() }
        } catch is CommandFailure {
            return nil
        }
    }

    private func expectAgreement(
        _ server: RealServer, profiles: [String], failing: Set<String> = []
    ) throws {
        try withTemporaryDirectory { home in
            let (config, program, token) = (home + "/config", home + "/program", home + "/token")
            let keys = #""AccessKeyId":"\#(server.accessKeyID)","SecretAccessKey":"\#(server.secretAccessKey)""#
            try "#!/bin/sh\necho '{\"Version\":1,\(keys)}'\n".write(toFile: program, atomically: false, encoding: .utf8)
            chmod(program, 0o700)
            try "token".write(toFile: token, atomically: false, encoding: .utf8)
            let values = [
                "PROGRAM": program, "TOKEN": token, "SECRET": server.secretAccessKey, "= ID": "= \(server.accessKeyID)",
            ]
            try values.reduce(Self.config) { $0.replacing($1.key, with: $1.value) }
                .write(toFile: config, atomically: false, encoding: .utf8)
            let environment = environmentWithoutKeys.merging([
                "HOME": home, "AWS_CONFIG_FILE": config, "AWS_ENDPOINT_URL": server.endpointURL,
            ]) { $1 }
            let tree = home + "/tree"
            try FileManager.default.createDirectory(atPath: tree, withIntermediateDirectories: false)
            for name in ["a", "b c", "d"] {
                try name.write(toFile: "\(tree)/\(name)", atomically: false, encoding: .utf8)
            }
            try server.upload(directory: tree, bucket: "agreed")
            for profile in profiles {
                let (theirs, ours) = (
                    try listing(["--profile", profile], environment), try mounted(["--profile", profile], environment)
                )
                // The last word of "b c".
                #expect(theirs == ours.map { $0.map { $0 == "b c" ? "c" : $0 }.sorted() }, "\(profile)")
                #expect((ours == nil) == failing.contains(profile), "\(profile)")
            }
        }
    }

    @Test(.enabled(if: hasCLI, "python3 has no awscli: pip install awscli"))
    func `A mount and the AWS CLI agree on roles, tokens and errors`() throws {
        try withMoto { server in
            try expectAgreement(
                server, profiles: ["role", "role-of-role", "web-identity", "circle", "nothing"],
                failing: ["circle", "nothing"])
        }
    }

    @Test(.enabled(if: hasCLI, "python3 has no awscli: pip install awscli"))
    func `A mount and the AWS CLI agree on keys, where signatures are checked`() throws {
        try withJuiceFSGateway { server in try expectAgreement(server, profiles: ["keys", "process"]) }
    }

    /// Each kind has a key of its own, and the bucket takes no other.
    @Test(
        .enabled(if: hasCLI, "python3 has no awscli: pip install awscli"),
        arguments: [
            CredentialsKind.singleSignOn, .renewedSignOn, .container, .machine, .roleOfEnvironment, .roleOfContainer,
            .roleOfMachine,
        ])
    func `A mount and the AWS CLI agree on the credentials of services`(kind: CredentialsKind) throws {
        try withCredentialsHome { home in
            try withS3TestServer(bucket: "agreed") { server in
                server.require(accessKeyID: kind.accessKeyID)
                for name in ["a", "b"] as [Key] { server.put(name, .text("x")) }
                let environment = home.environment(for: kind).merging(["AWS_ENDPOINT_URL_S3": server.endpointURL]) {
                    $1
                }
                try #expect(mounted(kind.options, environment) == ["a", "b"])
                try #expect(listing(kind.options, environment) == ["a", "b"])
                #expect(server.log.allSatisfy { $0.status == 200 })
            }
        }
    }
}
