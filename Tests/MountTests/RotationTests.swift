import Foundation
import ObjectStore
import SystemPackage
import TestSupport
import Testing

/// Credentials that end while a mount is in use.
@Suite("Credentials of a mount", mounts) struct RotationTests {
    /// A bucket that takes one key only, and a mount of it whose key is in a file.
    private struct Stage {
        let server: S3TestServer
        let directory: String
        var mountPoint = ""

        var keyFile: String { directory + "/credentials" }
        var logFile: String { directory + "/log" }
        var log: String { String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self) }

        /// Writes the keys as editors do: first nothing, then a half, then all.
        func writeKeys(_ id: String, slowly: Bool = false) throws {
            let text = "[default]\naws_access_key_id = \(id)\naws_secret_access_key = \(TestKeys.secretAccessKey)\n"
            for piece in slowly ? ["", String(text.prefix(40)), text] : [text] {
                try piece.write(toFile: keyFile, atomically: false, encoding: .utf8)
                if slowly { usleep(150_000) }
            }
        }
    }

    private func withStage(_ body: (Stage) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                server.require(accessKeyID: "AKIAFIRST")
                for index in 0..<400 {
                    server.put(
                        Key("f\(index)"), .pattern(seed: UInt64(index), byteCount: 3_000),
                        lastModified: .init(seconds: 9))
                }
                var stage = Stage(server: server, directory: directory)
                try stage.writeKeys("AKIAFIRST")
                let environment = environmentWithoutKeys.merging(["AWS_SHARED_CREDENTIALS_FILE": stage.keyFile]) { $1 }
                let options = [
                    "--endpoint-url", server.endpointURL, "--no-cache", "--metadata-ttl", "forever", "--log-level",
                    "trace",
                    "--log-file", stage.logFile,
                ]
                try withMount(uri: "s3://\(server.bucket)", options: options, environment: environment) { mountPoint in
                    stage.mountPoint = mountPoint
                    _ = try FileManager.default.contentsOfDirectory(atPath: mountPoint)
                    try body(stage)
                }
                #expect(!stage.log.contains(TestKeys.secretAccessKey))
                #expect(!stage.log.contains("AKIAFIRST") && !stage.log.contains("AKIASECOND"))
            }
        }
    }

    @Test func `are rotated under eight readers without a read that fails`() throws {
        try withStage { stage in
            let mountPoint = stage.mountPoint
            let readers = TestThreads(8) { reader in
                for index in stride(from: reader, to: 400, by: 8) {
                    try checkWhole("\(mountPoint)/f\(index)", .pattern(seed: UInt64(index), byteCount: 3_000))
                    usleep(20_000)
                }
            }
            usleep(300_000)
            // The old pair dies at once, the file comes a moment later, and in pieces.
            stage.server.require(accessKeyID: "AKIASECOND")
            usleep(200_000)
            try stage.writeKeys("AKIASECOND", slowly: true)
            try readers.wait()
            #expect(stage.log.contains("there are other credentials now"))
            #expect(stage.server.log.contains { $0.request.accessKeyID == "AKIASECOND" })
        }
    }

    /// Revoked for some three seconds; the thirty would be no different.
    @Test func `that are revoked and restored fail reads with EACCES at once, then heal without a new mount`() throws {
        try withStage { stage in
            try checkWhole("\(stage.mountPoint)/f0", .pattern(seed: 0, byteCount: 3_000))
            stage.server.require(accessKeyID: "AKIAOTHER")
            var index = 1
            func read() -> Errno? {
                index += 1
                return errno(of: {
                    try checkWhole("\(stage.mountPoint)/f\(index)", .pattern(seed: UInt64(index), byteCount: 3_000))
                })
            }
            #expect(read() == .permissionDenied)
            stage.server.clearLog()
            let start = ContinuousClock.now
            for _ in 0..<100 { #expect(read() == .permissionDenied) }
            let seconds = Int((ContinuousClock.now - start) / .seconds(1))
            // One request a second asks whether it is over.
            #expect(stage.server.log.count <= seconds + 2)
            // What was read before is still in memory.
            try checkWhole("\(stage.mountPoint)/f0", .pattern(seed: 0, byteCount: 3_000))
            usleep(1_200_000)
            stage.server.require(accessKeyID: "AKIAFIRST")
            try eventually("a read that succeeds") { read() == nil }
            #expect(read() == nil)
            let lines = stage.log.split(separator: "\n").filter { $0.contains("no need to mount again") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("InvalidAccessKeyId") == true && lines.first?.contains(stage.keyFile) == true)
            #expect(stage.log.contains("the store takes the credentials again"))
        }
    }

    @Test func `that were lost are found with the first valid pair`() throws {
        try withStage { stage in
            stage.server.require(accessKeyID: "AKIASECOND")
            #expect(
                errno(of: { try withOpenFile("\(stage.mountPoint)/f1") { try $0.bytes(in: 0..<10) } })
                    == .permissionDenied)
            try stage.writeKeys("AKIASECOND")
            usleep(1_200_000)
            // The first read after that: it waits for the file to be read, not for a second failure.
            try checkWhole("\(stage.mountPoint)/f2", .pattern(seed: 2, byteCount: 3_000))
        }
    }

    @Test func `that a server repeats in its errors are not told to anybody`() throws {
        try withTemporaryDirectory { directory in
            let echo: @Sendable (ServiceTestServer.Request) -> ServiceTestServer.Answer = { request in
                let all = request.headers.map { "\($0): \($1)" }.joined(separator: " ")
                return .init(
                    "<Error><Code>SignatureDoesNotMatch</Code><Message>you sent \(all)</Message></Error>", status: 403)
            }
            try withServiceTestServer(answering: echo) { server in
                let keyFile = directory + "/key"
                try String(repeating: "K", count: 32).write(toFile: keyFile, atomically: false, encoding: .utf8)
                chmod(keyFile, 0o600)
                let (mountPoint, logFile) = (directory + "/m", directory + "/log")
                try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
                let result = try run(
                    tractfsExecutable(),
                    [
                        "mount", "s3://bucket", mountPoint, "--endpoint-url", server.url, "--no-cache", "--log-level",
                        "trace",
                        "--log-file", logFile, "--sse-c-key-file", keyFile,
                    ], environment: environmentWithKeys)
                #expect(result.status > 0)
                #expect(result.errorOutput.contains("SignatureDoesNotMatch"))
                let written = result.errorOutput + (try String(contentsOfFile: logFile, encoding: .utf8))
                for secret in [TestKeys.secretAccessKey, TestKeys.sessionToken, "Signature=", "KKKK", "S0tLS"] {
                    #expect(!written.contains(secret), "\(secret)")
                }
            }
        }
    }
}

@Suite("What may not be read", mounts) struct AccessTests {
    private func withLoggedMount(
        _ server: S3TestServer, _ options: [String] = [], _ body: (String, () throws -> String) throws -> Void
    ) throws {
        try withTemporaryDirectory { directory in
            let file = directory + "/log"
            try withMount(of: server, options: ["--no-cache", "--xattrs", "--log-file", file] + options) { mountPoint in
                try body(mountPoint) { try String(contentsOfFile: file, encoding: .utf8) }
            }
        }
    }

    @Test func `of a folder is EACCES there, with a line in the log that says what to do, and elsewhere all is well`()
        throws
    {
        try withS3TestServer { server in
            server.put("open/f", .text("x"))
            server.put("terms/f", .text("x"))
            server.put("others/f", .text("x"))
            for folder in ["terms/", "others/"] { server.script(.below(Key(folder)), .refuse(.accessDenied)) }
            try withLoggedMount(server) { mountPoint, log in
                for folder in ["terms", "terms", "others"] {
                    let list = try run("ls", ["\(mountPoint)/\(folder)"])
                    #expect(list.errorOutput.contains("Permission denied"))
                }
                try #expect(runChecked("ls", ["\(mountPoint)/open"]) == "f\n")
                let lines = try log().split(separator: "\n").filter { $0.contains("AccessDenied") }
                #expect(lines.count == 2)
                for word in ["terms of use", "--request-payer"] { #expect(lines.allSatisfy { $0.contains(word) }) }
            }
        }
    }

    @Test func `because it is archived is EACCES at open, until it is restored`() throws {
        try withS3TestServer { server in
            server.put("cold", .text("0123456789"), storageClass: "DEEP_ARCHIVE")
            server.put("warm", .text("0123456789"), storageClass: "GLACIER_IR")
            server.script(.get("cold"), .refuse(.invalidObjectState), count: 1)
            try withLoggedMount(server) { mountPoint, log in
                func restore() throws -> String {
                    try runChecked("getfattr", ["--only-values", "-n", "user.s3.restore", "\(mountPoint)/cold"])
                }
                try #expect(restore() == "unknown")
                #expect(errno(of: { try withOpenFile("\(mountPoint)/cold") { _ in } }) == .permissionDenied)
                try #expect(restore() == "required")
                try #expect(log().contains("aws s3api restore-object"))
                try #expect(runChecked("cat", ["\(mountPoint)/cold"]) == "0123456789")
                try #expect(restore() == "restored")
                try #expect(runChecked("cat", ["\(mountPoint)/warm"]) == "0123456789")
                let attributes = try runChecked("getfattr", ["-d", "\(mountPoint)/warm"])
                #expect(!attributes.contains("restore"))
            }
        }
    }

    @Test func `without a key of the user's own gets it with every request for bytes, and the owner with all`() throws {
        try withTemporaryDirectory { directory in
            let keyFile = directory + "/key"
            try "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=\n".write(
                toFile: keyFile, atomically: false, encoding: .utf8)
            chmod(keyFile, 0o600)
            try withS3TestServer { server in
                server.put("f", .text("x"))
                let options = ["--sse-c-key-file", keyFile, "--expected-bucket-owner", "123456789012"]
                try withLoggedMount(server, options) { mountPoint, _ in
                    try #expect(runChecked("cat", ["\(mountPoint)/f"]) == "x")
                }
                let prefix = "x-amz-server-side-encryption-customer-"
                for entry in server.log {
                    #expect(entry.request.headers["x-amz-expected-bucket-owner"] == "123456789012")
                    let isGet = entry.request.kind == .get
                    #expect((entry.request.headers[prefix + "key"] != nil) == isGet)
                    guard isGet else { continue }
                    #expect(entry.request.headers[prefix + "algorithm"] == "AES256")
                    #expect(entry.request.headers[prefix + "key"] == "S0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0tLS0s=")
                    // printf K%.0s {1..32} | openssl md5 -binary | base64
                    #expect(entry.request.headers[prefix + "key-md5"] == "hA0i9FgVK/QWfBytGHevGg==")
                }
            }
        }
    }

    @Test(arguments: [
        (["--expected-bucket-owner", "me"], ["--expected-bucket-owner", "twelve digits"]),
        (["--sse-c-key-file", "/nonexistent"], ["/nonexistent"]),
        (["--sse-c-key-file", "/etc/hostname"], ["chmod 600 /etc/hostname"]),
        (["--sse-c-key-file", "/x", "--endpoint-url", "http://example.org"], ["https", "example.org"]),
    ])
    func `because of an option that can't be is said in a line`(options: [String], words: [String]) throws {
        try withTemporaryDirectory { directory in
            try expectFailure(of: HopelessMount("", options, says: words), at: directory)
        }
    }
}
