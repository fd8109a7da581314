import Foundation
import ObjectStore
import TestSupport
import Testing

/// The name of a directory bucket, and its requirement: sessions that the tests' keys make.
enum TestDirectoryBucket {
    static let name = "hcp--use1-az4--x-s3"

    /// The rules of one.
    static func rules(isShuffled: Bool = false) -> S3DirectoryBucket {
        S3DirectoryBucket(
            account: .init(
                id: TestKeys.accessKeyID, secret: TestKeys.secretAccessKey, token: TestKeys.sessionToken),
            isShuffled: isShuffled)
    }

    /// Starts a server of such a bucket. Expects that all signatures are right, and that listings have only the
    /// parameters of such a bucket.
    static func withServer(
        isShuffled: Bool = false, pageLimit: Int = 1_000, _ body: (S3TestServer) throws -> Void
    ) throws {
        try withS3TestServer(bucket: name, pageLimit: pageLimit) { server in
            server.becomeDirectoryBucket(rules(isShuffled: isShuffled))
            try body(server)
            #expect(server.complaints == [])
            for request in server.requests(.list).map(\.request) {
                #expect(request.query["start-after"] == nil)
                #expect(request.key.bytes.isEmpty || request.key.endsInDelimiter, "the listing of \(request.key)")
            }
        }
    }
}

@Suite(mounts) struct DirectoryBucketTests {
    @Test func `A directory bucket is read by one session, and each request is one that S3 Express accepts`() throws {
        try TestDirectoryBucket.withServer { server in
            let body = ObjectBody.pattern(seed: 7, byteCount: 3_000_000)
            server.put("sub-01/T1w/T1w +é.nii.gz", body)
            for index in 0..<20 { server.put(Key("sub-02/run-\(index).txt"), .text("run \(index)")) }
            try withTemporaryDirectory { directory in
                try Data(body.allBytes).write(to: URL(fileURLWithPath: directory + "/copy"))
                let options = ["--endpoint-url", server.endpointURL]
                try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
                    mount in
                    let found = try runChecked("find", [mount, "-type", "f"]).split(separator: "\n")
                    #expect(found.count == 21)
                    try runChecked("cmp", [mount + "/sub-01/T1w/T1w +é.nii.gz", directory + "/copy"])
                    try #expect(runChecked("cat", [mount + "/sub-02/run-7.txt"]) == "run 7")
                }
            }
            #expect(server.requests(.session).count == 1)
            for kind in [S3Request.Kind.list, .get] {
                #expect(server.requests(kind).allSatisfy { [200, 206].contains($0.status) })
            }
        }
    }

    @Test func `A mount of a mistyped prefix in a directory bucket fails with the name of the right one`() throws {
        try TestDirectoryBucket.withServer { server in
            server.put("HCP/100307/T1w.nii.gz", .text("x"))
            for (prefix, words) in [
                ("hcp", "there is s3://\(server.bucket)/HCP/"),
                ("HCP/100307/T1w.nii.gz", "is a file; mount its folder"),
            ] {
                try withTemporaryDirectory { directory in
                    let result = try run(
                        tractfsExecutable(),
                        ["mount", "s3://\(server.bucket)/\(prefix)", directory, "--endpoint-url", server.endpointURL],
                        environment: environmentWithKeys)
                    #expect(result.status != 0)
                    #expect(result.errorOutput.contains(words), "\(result.errorOutput)")
                }
            }
        }
    }

    @Test func `A mount without s3express:CreateSession fails with the name of the permission`() throws {
        try TestDirectoryBucket.withServer { server in
            server.changeDirectoryBucket { $0.allowsSessions = false }
            try withTemporaryDirectory { directory in
                let result = try run(
                    tractfsExecutable(),
                    ["mount", "s3://\(server.bucket)", directory, "--endpoint-url", server.endpointURL],
                    environment: environmentWithKeys)
                #expect(result.status != 0)
                for word in ["a session of s3://\(server.bucket)", "AccessDenied", "s3express:CreateSession"] {
                    #expect(result.errorOutput.contains(word), "\(result.errorOutput)")
                }
            }
            let diagnosis = try Diagnosis(
                of: "s3://\(server.bucket)", ["--no-cache", "--endpoint-url", server.endpointURL])
            try diagnosis.expectFailure(
                of: "list", ["AccessDenied", "s3express:CreateSession"], skipping: ["read", "round-trip", "bandwidth"])
        }
    }

    @Test func `tractfs doctor examines a directory bucket like any other`() throws {
        try TestDirectoryBucket.withServer { server in
            server.put("HCP/big", .pattern(seed: 1, byteCount: 4 << 20))
            let diagnosis = try Diagnosis(
                of: "s3://\(server.bucket)/HCP", ["--no-cache", "--endpoint-url", server.endpointURL])
            for check in ["settings", "name", "connection", "endpoint", "list", "read"] {
                try diagnosis.expect(check, "ok")
            }
            for check in ["round-trip", "bandwidth"] {
                #expect(try ["ok", "warning"].contains(diagnosis[check].status))
            }
        }
    }

    @Test(arguments: [
        (["--no-sign-request"], "--no-sign-request"), (["--request-payer"], "--request-payer"),
    ])
    func `A name that no directory bucket at AWS can have is refused before any request`(
        options: [String], word: String
    ) throws {
        try withTemporaryDirectory { directory in
            let result = try run(
                tractfsExecutable(), ["mount", "s3://\(TestDirectoryBucket.name)", directory] + options,
                environment: environmentWithKeys)
            #expect(result.status != 0)
            for word in ["is a directory bucket", "leave out \(word)"] {
                #expect(result.errorOutput.contains(word), "\(result.errorOutput)")
            }
        }
    }

    @Test func `tractfs presign gives URLs of a directory bucket that work and say when they end`() throws {
        try TestDirectoryBucket.withServer { server in
            server.put("d/a b.txt", .text("bytes"))
            let result = try run(
                tractfsExecutable(),
                ["presign", "s3://\(server.bucket)/d/a b.txt", "--json", "--endpoint-url", server.endpointURL],
                environment: environmentWithKeys)
            #expect(result.errorOutput.contains("the credentials that sign them end then"))
            let files = try #require(
                JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [[String: Any]], "\(result.output)")
            #expect(files.first?["size"] as? Int == 5)
            let url = try #require(files.first?["url"] as? String)
            try #expect(runChecked("curl", ["-sSfg", "--max-time", "60", url]) == "bytes")
        }
    }

    @Test func `A mount of a directory bucket writes no secret of a session anywhere`() throws {
        try TestDirectoryBucket.withServer { server in
            for index in 0..<4 { server.put(Key("d\(index)/f"), .text("content")) }
            try withTemporaryDirectory { directory in
                var observed: [String] = []
                let options = [
                    "--endpoint-url", server.endpointURL, "--log-level", "trace", "--log-file", directory + "/log",
                    "--cache-dir", directory + "/cache",
                ]
                try withMount(uri: "s3://\(server.bucket)", options: options, environment: environmentWithKeys) {
                    mount in
                    try #expect(runChecked("cat", [mount + "/d0/f"]) == "content")
                    server.changeDirectoryBucket { $0.endSessions() }
                    for code in ["InvalidToken", "AccessDenied"] {
                        server.script(.any, .refuse(.repeating(code: code)))
                        let result = try run("cat", [mount + "/d1/f"])
                        #expect(result.errorOutput.contains("Permission denied"), "\(result.errorOutput)")
                        server.clearScripts()
                    }
                    for form in [["status"], ["status", "--json"], ["report", "-o", "-"], ["report", "--json"]] {
                        let arguments = [form[0], mount] + form.dropFirst()
                        observed.append(try runChecked(tractfsExecutable(), arguments))
                    }
                }
                let paths = try #require(FileManager.default.subpaths(atPath: directory))
                observed += paths.compactMap { FileManager.default.contents(atPath: "\(directory)/\($0)") }
                    .map { String(decoding: $0, as: UTF8.self) }
                let secrets = [
                    S3DirectoryBucket.secretPrefix, "Credential=", "Signature=", TestKeys.secretAccessKey,
                    TestKeys.sessionToken,
                ]
                for text in observed {
                    for secret in secrets { #expect(!text.contains(secret), "\(secret) in \(text)") }
                }
            }
        }
    }
}

@Suite(.serialized, takeoverAvailable) struct DirectoryBucketTakeoverTests {
    @Test func `A server that takes over a mount of a directory bucket makes a session of its own`() throws {
        try TestDirectoryBucket.withServer { server in
            for index in 0..<3 { server.put(Key("d/\(index)"), .text("bytes \(index)")) }
            try withKilledMount(of: server, options: ["--no-cache"]) { mount in
                for index in 0..<3 {
                    try #expect(runChecked("cat", [mount.point + "/d/\(index)"]) == "bytes \(index)")
                    let keys = server.requests(.get).compactMap(\.request.accessKeyID)
                    #expect(Set(keys).count == index + 1)
                    if index < 2 { try mount.killServer() }
                }
            }
        }
    }
}
