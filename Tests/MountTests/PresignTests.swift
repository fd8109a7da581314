import Foundation
import ObjectStore
import TestSupport
import Testing

/// The output of `tractfs presign --json` for a file.
private struct File: Decodable {
    let key: String
    let size: Int?
    let url: String
    let expires: String?
}

private func tractfs(
    _ arguments: [String], _ environment: [String: String] = environmentWithKeys
) throws -> CommandResult {
    try run(tractfsExecutable(), arguments, environment: environment, timeout: .seconds(60))
}

/// Returns the URLs that tractfs prints, and fails the test if it fails.
private func presign(_ arguments: String..., environment: [String: String] = environmentWithKeys) throws -> String {
    try runChecked(tractfsExecutable(), ["presign"] + arguments, environment: environment)
}

private func files(_ output: String) throws -> [File] {
    try JSONDecoder().decode([File].self, from: Data(output.utf8))
}

/// Fetches a URL without credentials.
private func fetch(_ url: some StringProtocol) throws -> CommandResult {
    try run("curl", ["-sSfg", "--max-time", "60", String(url)])
}

/// Names that URLs must encode, and their contents.
private let oddFiles = [
    "a b+c.txt", "a%20b.txt", "q&x=#y;z.txt", "[sub-01],:@!$'()*~.txt", "漢é🧠/ü ß.nii.gz", "sub-01/T1w/T1w.nii.gz",
    "sub-01/T1w.nii.gz", "sub-01-1.txt", "sub-01.txt",
]

private func withOddFiles(_ body: (String) throws -> Void) throws {
    try withTemporaryDirectory { tree in
        for name in oddFiles {
            let path = "\(tree)/\(name)"
            try FileManager.default.createDirectory(
                atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
            try "bytes of \(name)".write(toFile: path, atomically: false, encoding: .utf8)
        }
        try body(tree)
    }
}

@Suite(mounts) struct PresignFetchTests {
    @Test func `tractfs presign prints URLs that give the bytes to anyone until they expire`() throws {
        try withJuiceFSGateway { server throws in
            try withOddFiles { try server.upload(directory: $0, bucket: "shared", prefix: "data/") }
            let environment = environmentWithoutKeys.merging(server.environment) { $1 }
            let ofBucket = try presign("s3://shared/data", "--recursive", "--json", environment: environment)
            let ofMount = try withMount(uri: "s3://shared/data", environment: environment) { mountPoint throws in
                // The command has none of the mount's settings.
                let one = try presign(mountPoint + "/a b+c.txt", environment: environmentWithoutKeys)
                #expect(try fetch(one.trimmingCharacters(in: .newlines)).output == "bytes of a b+c.txt")
                return try presign(mountPoint, "--recursive", "--json", environment: environmentWithoutKeys)
            }
            let expected = oddFiles.map { "data/" + $0 }.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            for output in [ofBucket, ofMount] {
                let files = try files(output)
                #expect(files.map(\.key) == expected)
                for file in files {
                    let bytes = "bytes of \(file.key.dropFirst("data/".count))"
                    #expect(try fetch(file.url).output == bytes, "\(file.url)")
                    #expect(file.size == bytes.utf8.count)
                }
            }
            #expect(
                try files(ofBucket).map { $0.url.prefix { $0 != "?" } }
                    == files(ofMount).map { $0.url.prefix { $0 != "?" } })
            let short = try presign("s3://shared/data/sub-01.txt", "--expires-in", "1s", environment: environment)
            try eventually("that a URL of a second has ended") {
                try fetch(short.trimmingCharacters(in: .newlines)).errorOutput.contains("403")
            }
        }
    }

    @Test func `tractfs presign signs with a role's session`() throws {
        try withMoto { server throws in
            try withTemporaryDirectory { home throws in
                let config = """
                    [profile keys]
                    aws_access_key_id = \(server.accessKeyID)
                    aws_secret_access_key = \(server.secretAccessKey)
                    [profile role]
                    region = us-east-1
                    role_arn = arn:aws:iam::123456789012:role/first
                    source_profile = keys
                    """
                try config.write(toFile: home + "/config", atomically: false, encoding: .utf8)
                let environment = environmentWithoutKeys.merging([
                    "HOME": home, "AWS_CONFIG_FILE": home + "/config", "AWS_ENDPOINT_URL": server.endpointURL,
                ]) { $1 }
                try withOddFiles { try server.upload(directory: $0, bucket: "shared") }
                let result = try tractfs(
                    ["presign", "s3://shared/sub-01.txt", "--profile", "role", "--expires-in", "7d", "--json"],
                    environment)
                let file = try #require(try files(result.output).first)
                #expect(file.url.contains("&X-Amz-Security-Token="))
                #expect(try fetch(file.url).output == "bytes of sub-01.txt")
                // The role's session lasts an hour. The output has its end, not that of the signature.
                let end = try #require(file.expires)
                #expect(
                    result.errorOutput.contains(
                        "work until \(end), not for 7d: the credentials that sign them end then"))
                try withMount(uri: "s3://shared", options: ["--profile", "role"], environment: environment) {
                    mountPoint throws in
                    let result = try tractfs(["presign", mountPoint + "/sub-01.txt", "--expires-in", "36h"])
                    #expect(try fetch(result.output.trimmingCharacters(in: .newlines)).output == "bytes of sub-01.txt")
                    #expect(result.errorOutput.contains("not for 36h: the credentials that sign them end then"))
                }
            }
        }
    }
}

@Suite(mounts) struct PresignTreeTests {
    private static let keys: [Key] = [
        "s/100/T1w.nii.gz", "s/100/T1w.json", "s/100/", "s/100-a.txt", "s/100.txt", "s/200/anat/T1w.nii.gz",
        "s/200/é.txt", "s/2\\0.txt", "s-other/x", "t",
    ]

    private func withTree(_ body: (S3TestServer) throws -> Void) throws {
        // Few keys a page, so that there are several pages.
        try withS3TestServer(pageLimit: 3) { server throws in
            for key in Self.keys { server.put(key, .text("x")) }
            try body(server)
        }
    }

    private static let everything = [
        "s/100-a.txt", "s/100.txt", "s/100/T1w.json", "s/100/T1w.nii.gz", "s/200/anat/T1w.nii.gz", "s/200/é.txt",
        "s/2\\0.txt",
    ]

    private static let selections: [(options: [String], keys: [String])] = [
        ([], everything),
        (["--include", "*.nii.gz"], ["s/100/T1w.nii.gz", "s/200/anat/T1w.nii.gz"]),
        (["--include", "100/*"], ["s/100/T1w.json", "s/100/T1w.nii.gz"]),
        (["--include", "*.json", "--include", "200/?.txt"], ["s/100/T1w.json", "s/200/é.txt"]),
        (["--include", "[!1]*", "--exclude", "*.gz"], ["s/200/é.txt", "s/2\\0.txt"]),
        (["--include", "2\\0.txt"], ["s/2\\0.txt"]),
        (["--exclude", "*"], []),
    ]

    @Test("presign --recursive takes the files below a folder that match, by key", arguments: selections.indices)
    func selection(index: Int) throws {
        let (options, keys) = Self.selections[index]
        try withTree { server throws in
            let store = ["--endpoint-url", server.endpointURL, "--region", "us-east-1"]
            let ofBucket = try tractfs(
                ["presign", "s3://\(server.bucket)/s", "--recursive", "--json"] + store + options)
            let ofMount = try withMount(of: server) { mountPoint throws in
                try tractfs(["presign", mountPoint + "/s/", "--recursive", "--json"] + options)
            }
            for result in [ofBucket, ofMount] {
                #expect(try files(result.output).map(\.key) == keys)
                #expect(result.status == (keys.isEmpty ? 1 : 0))
                #expect(result.errorOutput.contains("no file in") == keys.isEmpty)
                #expect(!keys.isEmpty || result.output == "[]\n")
            }
        }
    }

    @Test func `presign --recursive ends quietly when its reader ends`() throws {
        try withS3TestServer { server throws in
            for number in 0..<2_000 { server.put(Key("s/\(number)"), .text("x")) }
            try withMount(of: server, options: ["--no-sign-request"]) { mountPoint throws in
                let script = #"env --default-signal=PIPE "$0" presign --recursive "$1" | head -n 1 | wc -l"#
                let result = try run("bash", ["-c", script, tractfsExecutable(), mountPoint])
                #expect(result.output == "1\n")
                #expect(result.errorOutput == "")
            }
        }
    }

    @Test func `presign --recursive --json leaves an array open if it fails half-way`() throws {
        try withTree { server throws in
            server.script(.list("s/"), .refuse(.accessDenied), skipping: 1)
            let result = try tractfs([
                "presign", "s3://\(server.bucket)/s", "--recursive", "--json", "--endpoint-url", server.endpointURL,
            ])
            #expect(result.status == 1)
            #expect(!result.output.contains("]"))
            #expect(result.errorOutput.contains("AccessDenied"))
        }
    }
}

@Suite struct PresignBucketTests {
    private func uri(_ server: S3TestServer, _ key: String) -> String { "s3://\(server.bucket)/\(key)" }

    @Test func `presign s3://… sends no request if the region is known`() throws {
        try withS3TestServer { server throws in
            let url = try presign(
                uri(server, "not there"), "--endpoint-url", server.endpointURL, "--region", "eu-west-1")
            #expect(url.contains("%2Feu-west-1%2Fs3%2F"))
            #expect(server.log.isEmpty)
        }
    }

    @Test func `presign s3://… signs for the region that the bucket names if no setting does`() throws {
        try withS3TestServer { server throws in
            server.put("a", .text("x"))
            server.script(.list("a"), .refuse(.otherRegion("eu-central-1", status: 301)), count: 1)
            let url = try presign(uri(server, "a"), "--endpoint-url", server.endpointURL)
            #expect(url.contains("%2Feu-central-1%2Fs3%2F"))
            #expect(server.requests(.list).count == 2)
            #expect(server.log.count == 2)
        }
    }

    @Test func `presign s3://… with --no-sign-request prints plain URLs that never expire`() throws {
        try withS3TestServer { server throws in
            server.put("a b", .text("x"))
            let output = try presign(
                uri(server, "a b"), "--endpoint-url", server.endpointURL, "--no-sign-request", "--json",
                environment: environmentWithoutKeys)
            let file = try #require(try files(output).first)
            #expect(file.url == "\(server.endpointURL)/\(server.bucket)/a%20b")
            #expect(file.expires == nil)
            #expect(file.size == 1)
        }
    }

    @Test func `presign s3://… puts --request-payer and --expected-bucket-owner into the URL`() throws {
        let url = try presign(
            "s3://some-bucket/key", "--region", "us-east-1", "--request-payer", "--expected-bucket-owner",
            "123456789012")
        #expect(url.contains("&x-amz-request-payer=requester"))
        #expect(url.contains("&x-amz-expected-bucket-owner=123456789012"))
        #expect(url.contains("&X-Amz-SignedHeaders=host\n") || url.contains("&X-Amz-SignedHeaders=host&"))
    }

    @Test func `presign s3://… tells the size only to keys that may list`() throws {
        try withS3TestServer { server throws in
            server.put("a", .text("xyz"))
            let options = ["--json", "--endpoint-url", server.endpointURL, "--region", "us-east-1"]
            #expect(try files(tractfs(["presign", uri(server, "a")] + options).output).map(\.size) == [3])
            let missing = try tractfs(["presign", uri(server, "b")] + options)
            #expect(missing.status == 1)
            #expect(missing.errorOutput.contains("there is no object"))
            server.script(.list("a"), .refuse(.accessDenied))
            #expect(try files(tractfs(["presign", uri(server, "a")] + options).output).map(\.size) == [nil])
        }
    }

    @Test func `presign s3://… warns of keys that most programs change in a URL`() throws {
        let result = try tractfs(["presign", "s3://some-bucket/a/../b", "--region", "us-east-1"])
        #expect(result.errorOutput.contains("--path-as-is"))
        #expect(result.output.contains("/a/../b?"))
    }

    private static let session = environmentWithKeys
    private static let user = environmentWithKeys.merging(["AWS_SESSION_TOKEN": ""]) { $1 }
    private static let ending = environmentWithKeys.merging(["AWS_CREDENTIAL_EXPIRATION": "2999-01-01T00:00:00Z"]) {
        $1
    }

    private static let warnings: [(environment: [String: String], asked: String, warning: String)] = [
        (user, "7d", ""), (user, "604800", ""), (session, "1h", "nothing says when that is"),
        (session, "7d", "at the latest: nothing says when that is"),
        (ending, "36h", ""), (ending, "37h", "not for 37h: temporary credentials sign for 36 hours at the most"),
        (ending, "133200", "not for 133200s: "),
    ]

    @Test("presign s3://… says that a URL expires before the requested time", arguments: warnings.indices)
    func warning(index: Int) throws {
        let (environment, asked, warning) = Self.warnings[index]
        let result = try tractfs(
            ["presign", "s3://some-bucket/key", "--region", "us-east-1", "--expires-in", asked], environment)
        #expect(result.status == 0)
        #expect(result.errorOutput.isEmpty == warning.isEmpty)
        #expect(warning.isEmpty || result.errorOutput.contains(warning))
        #expect(result.output.split(separator: "\n").count == 1)
    }

    private static let mistakes: [(arguments: [String], message: String)] = [
        (["s3://some-bucket/key", "--expires-in", "8d"], "give a time from 1s to 7d"),
        (["s3://some-bucket/key", "--expires-in", "0s"], "give a time from 1s to 7d"),
        (["s3://some-bucket/key", "--expires-in", "soon"], "give a time from 1s to 7d"),
        (["s3://some-bucket/"], "s3://some-bucket/ is a folder; give --recursive"),
        (["s3://some-bucket/folder/"], "is a folder; give --recursive"),
        (["s3://some-bucket/key", "--include", "*"], "give --recursive too"),
        (["/etc/passwd"], "/etc/passwd is not in a tractfs mount"), (["/etc"], "/etc is not in a tractfs mount"),
        (["/nowhere/at/all"], "/nowhere/at/all: No such file or directory"), ([""], "the path is empty"),
        (["/etc/passwd", "--profile", "hcp"], "--profile: a mount signs with its own settings"),
        (["s3://B_A_D/key"], "can't be a bucket's name"), ([], "path|s3://BUCKET/KEY"),
    ]

    @Test("presign s3://… refuses wrong usage with the reason", arguments: mistakes.indices)
    func mistake(index: Int) throws {
        let (arguments, message) = Self.mistakes[index]
        let result = try tractfs(["presign"] + arguments)
        #expect(result.status != 0)
        #expect(result.output == "")
        #expect(result.errorOutput.contains(message), "\(result.errorOutput)")
        #expect(result.errorOutput.split(separator: "\n").count == 1)
    }

    @Test func `presign s3://… refuses objects that are encrypted with the customer's key`() throws {
        try withTemporaryDirectory { directory throws in
            let file = directory + "/key"
            try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o600)
            let result = try tractfs([
                "presign", "s3://some-bucket/key", "--region", "us-east-1", "--sse-c-key-file", file,
            ])
            #expect(result.status == 1)
            #expect(result.errorOutput.contains("(SSE-C) cannot be read by a URL alone"))
        }
    }
}

@Suite(mounts) struct PresignPathTests {
    private func withFile(
        options: [String] = [], _ body: (S3TestServer, String) throws -> Void
    ) throws {
        try withS3TestServer { server throws in
            server.put("folder/file", .text("x"))
            try withMount(of: server, options: options) { try body(server, $0) }
        }
    }

    @Test func `presign PATH says that a path is no file, or does not exist`() throws {
        try withFile { _, mountPoint throws in
            let folder = try tractfs(["presign", mountPoint + "/folder"])
            #expect(
                folder.errorOutput
                    == "tractfs: \(mountPoint)/folder is a folder; give --recursive for URLs of all files in it\n")
            let missing = try tractfs(["presign", mountPoint + "/folder/missing"])
            #expect(missing.errorOutput == "tractfs: \(mountPoint)/folder/missing: No such file or directory\n")
            #expect([folder.status, missing.status] == [1, 1])
        }
    }

    @Test func `presign PATH follows links from outside the mount`() throws {
        try withFile { server, mountPoint throws in
            try withTemporaryDirectory { directory throws in
                try FileManager.default.createSymbolicLink(
                    atPath: directory + "/link", withDestinationPath: mountPoint + "/folder/file")
                #expect(
                    try presign(directory + "/link").hasPrefix("\(server.endpointURL)/\(server.bucket)/folder/file?"))
            }
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root, to be somebody else"))
    func `presign PATH is for users who may read the file`() throws {
        let cases: KeyValuePairs = [
            ["--file-mode", "0444"]: true, ["--file-mode", "0400"]: false,
            // A supplementary group of the user.
            ["--file-mode", "0440", "--dir-mode", "0555", "--gid", "54321"]: true,
            ["--file-mode", "0440", "--dir-mode", "0555", "--gid", "54322"]: false,
        ]
        for (options, isAllowed) in cases {
            try withFile(options: ["--allow-other"] + options) { _, mountPoint throws in
                // A copy of the program, because its folder may be closed to other users.
                try withTemporaryDirectory { directory throws in
                    chmod(directory, 0o755)
                    // The folder around the mount point is closed to other users as well.
                    chmod((mountPoint as NSString).deletingLastPathComponent, 0o755)
                    try runChecked("cp", [tractfsExecutable(), directory + "/tractfs"])
                    let nobody = [
                        "--reuid=65534", "--regid=65534", "--groups=54320,54321", directory + "/tractfs", "presign",
                    ]
                    let result = try run("setpriv", nobody + [mountPoint + "/folder/file"])
                    #expect(result.status == (isAllowed ? 0 : 1))
                    #expect(result.errorOutput.contains("Permission denied") != isAllowed, "\(result.errorOutput)")
                    #expect(try presign(mountPoint + "/folder/file").contains("X-Amz-Signature"))
                }
            }
        }
    }

    @Test func `presign PATH signs for the region that the mount has learned`() throws {
        try withS3TestServer { server throws in
            server.put("folder/file", .text("x"))
            try withTemporaryDirectory { cache throws in
                let options = ["--cache-dir", cache + "/cache", "--metadata-ttl", "forever"]
                try withMount(of: server, options: options) { _ = try runChecked("ls", ["-R", $0]) }
                server.clearLog()
                server.script(.list("folder/file"), .refuse(.otherRegion("eu-central-1", status: 301)), count: 1)
                try withMount(of: server, options: options) { mountPoint throws in
                    #expect(try presign(mountPoint + "/folder/file").contains("%2Feu-central-1%2Fs3%2F"))
                    let count = server.log.count
                    #expect(try presign(mountPoint + "/folder/file").contains("%2Feu-central-1%2Fs3%2F"))
                    #expect(server.log.count == count)
                }
            }
        }
    }
}

@Suite(mounts) struct PresignedAttributeTests {
    private static let name = "user.s3.presigned_url"

    private func attribute(_ path: String) throws -> CommandResult {
        try run("getfattr", ["--only-values", "-n", Self.name, path])
    }

    @Test func `user.s3.presigned_url exists with --presign-xattr only, and for files only`() throws {
        try withS3TestServer { server throws in
            server.put("folder/a b", .text("the bytes"))
            for options in [[], ["--xattrs"]] {
                try withMount(of: server, options: options) { mountPoint throws in
                    #expect(try attribute(mountPoint + "/folder/a b").status != 0)
                    #expect(try !run("getfattr", [mountPoint + "/folder/a b"]).output.contains(Self.name))
                }
            }
            try withTemporaryDirectory { directory throws in
                let log = directory + "/log"
                let options = ["-o", "presign_xattr", "--log-file", log, "--log-level", "trace"]
                try withMount(of: server, options: options) { mountPoint throws in
                    let url = try attribute(mountPoint + "/folder/a b")
                    #expect(url.output.contains("X-Amz-Expires=3600&"))
                    #expect(try fetch(url.output).output == "the bytes")
                    let names = try run("getfattr", [mountPoint + "/folder/a b"]).output
                    #expect(names.contains(Self.name + "\n") && names.contains("user.s3.etag\n"))
                    #expect(try attribute(mountPoint + "/folder").status != 0)
                    #expect(try !run("getfattr", [mountPoint + "/folder"]).output.contains(Self.name))
                    #expect(try presign(mountPoint + "/folder/a b").contains("X-Amz-Signature"))
                }
                #expect(try !String(contentsOfFile: log, encoding: .utf8).contains("X-Amz-Signature"))
            }
        }
    }

    @Test func `--presign-xattr is refused together with SSE-C`() throws {
        try withTemporaryDirectory { directory throws in
            let file = directory + "/key"
            try Data(repeating: 7, count: 32).write(to: URL(fileURLWithPath: file))
            chmod(file, 0o600)
            let result = try tractfs([
                "mount", "s3://some-bucket", directory, "--presign-xattr", "--sse-c-key-file", file,
            ])
            #expect(result.status == 1)
            #expect(result.errorOutput.contains("--presign-xattr"))
        }
    }
}
