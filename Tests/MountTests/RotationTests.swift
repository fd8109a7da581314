import Foundation
import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport
import Testing

/// Credentials that become invalid while a mount is in use.
@Suite(mounts) struct RotationTests {
    /// A bucket that accepts one key only, and a mount of it that has its key in a file.
    private struct Stage {
        let server: S3TestServer
        let directory: String
        var mountPoint = ""
        static let fileCount = 2_000

        var keyFile: String { directory + "/credentials" }
        var logFile: String { directory + "/log" }
        var log: String { String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self) }

        /// Writes the first `length` characters of the file of keys, by default all.
        func writeKeys(_ id: String, length: Int = .max) throws {
            let text = "[default]\naws_access_key_id = \(id)\naws_secret_access_key = \(TestKeys.secretAccessKey)\n"
            try String(text.prefix(length)).write(toFile: keyFile, atomically: false, encoding: .utf8)
        }
    }

    private func withStage(_ body: (Stage) throws -> Void) throws {
        try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                server.require(accessKeyID: "AKIAFIRST")
                for index in 0..<Stage.fileCount {
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

    @Test func `Eight readers meet no error while the credentials are rotated`() throws {
        try withStage { stage in
            let reads = SteadyReads(of: stage.mountPoint, readerCount: 8, fileCount: Stage.fileCount)
            try eventually("reads by all") { reads.counts.allSatisfy { $0.successCount > 0 } }
            // The file is half written when the store refuses the old pair, and complete a moment later.
            try stage.writeKeys("AKIASECOND", length: 40)
            stage.server.require(accessKeyID: "AKIASECOND")
            try eventually("a refusal") { stage.server.log.contains { $0.status == 403 } }
            try stage.writeKeys("AKIASECOND")
            try eventually("the new pair") { stage.log.contains("credentials replaced") }
            let before = reads.counts
            try eventually("reads by all with the new pair") {
                zip(reads.counts, before).allSatisfy { $0.successCount > $1.successCount }
            }
            try reads.end()
            #expect(stage.server.log.contains { $0.request.accessKeyID == "AKIASECOND" })
            #expect(reads.counts.allSatisfy { $0.refusalCount == 0 })
        }
    }

    @Test func `Revoked credentials fail reads with EACCES, and restored ones work without a new mount`() throws {
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
            for _ in 0..<100 { #expect(read() == .permissionDenied) }
            // One request a second tries the credentials again; all other reads fail without one.
            #expect(stage.server.log.count < 50)
            // f0 is still in memory.
            try checkWhole("\(stage.mountPoint)/f0", .pattern(seed: 0, byteCount: 3_000))
            let requestCount = stage.server.log.count
            try eventually("another request that tries them") {
                #expect(read() == .permissionDenied)
                return stage.server.log.count > requestCount
            }
            stage.server.require(accessKeyID: "AKIAFIRST")
            try eventually("a read that succeeds") { read() == nil }
            #expect(read() == nil)
            let lines = stage.log.split(separator: "\n").filter { $0.contains("no remount is needed") }
            #expect(lines.count == 1)
            #expect(lines.first?.contains("InvalidAccessKeyId") == true && lines.first?.contains(stage.keyFile) == true)
            #expect(stage.log.contains("the store accepts the credentials again"))
        }
    }

    @Test func `While credentials are revoked, new files fail with EACCES, and cached ones are read`() throws {
        // With `TRACTFS_STRESS` the credentials stay revoked for about thirty seconds.
        let isStressed = ProcessInfo.processInfo.environment["TRACTFS_STRESS"] != nil
        let refusalCount = isStressed ? 1_500 : 50
        try withStage { stage in
            try withOpenFile("\(stage.mountPoint)/f0") { cached in
                try cached.check(0..<3_000, .pattern(seed: 0, byteCount: 3_000), of: "f0")
                let reads = SteadyReads(of: stage.mountPoint, readerCount: 8, fileCount: Stage.fileCount)
                try eventually("reads by all") { reads.counts.allSatisfy { $0.successCount > 0 } }
                stage.server.require(accessKeyID: "AKIAOTHER")
                try eventually("refusals of all") { reads.counts.allSatisfy { $0.refusalCount > 0 } }
                let before = reads.counts
                try eventually("\(refusalCount) more refusals of all", within: .seconds(300)) {
                    try cached.check(0..<3_000, .pattern(seed: 0, byteCount: 3_000), of: "f0")
                    try checkWhole("\(stage.mountPoint)/f0", .pattern(seed: 0, byteCount: 3_000))
                    return zip(reads.counts, before).allSatisfy { $0.refusalCount > $1.refusalCount + refusalCount }
                }
                let after = reads.counts
                #expect(after.map(\.successCount) == before.map(\.successCount))
                stage.server.require(accessKeyID: "AKIAFIRST")
                try eventually("reads by all again") {
                    zip(reads.counts, after).allSatisfy { $0.successCount > $1.successCount + 2 }
                }
                let healed = reads.counts
                try reads.end()
                #expect(reads.counts.map(\.refusalCount) == healed.map(\.refusalCount))
            }
            #expect(stage.log.split(separator: "\n").count { $0.contains("no remount is needed") } == 1)
            #expect(stage.log.split(separator: "\n").count { $0.contains("accepts the credentials again") } == 1)
        }
    }

    @Test func `A single object that is refused with SignatureDoesNotMatch does not fail the reads of others`() throws {
        try withStage { stage in
            stage.server.script(.get("f1998"), .refuse(.signatureDoesNotMatch))
            func readBad() -> Errno? {
                errno(of: { try withOpenFile("\(stage.mountPoint)/f1998") { try $0.bytes(in: 0..<10) } })
            }
            // Without other reads the mount cannot know yet that the store refuses this object only.
            #expect(readBad() == .permissionDenied)
            try checkWhole("\(stage.mountPoint)/f1999", .pattern(seed: 1_999, byteCount: 3_000))
            let reads = SteadyReads(of: stage.mountPoint, readerCount: 4, fileCount: Stage.fileCount - 100)
            for _ in 0..<3 { #expect(readBad() == .permissionDenied) }
            try eventually("reads by all") { reads.counts.allSatisfy { $0.successCount > 10 } }
            try reads.end()
            #expect(reads.counts.allSatisfy { $0.refusalCount == 0 })
            stage.server.clearScripts()
            try eventually("a read of the object") { readBad() == nil }
        }
    }

    @Test func `A mount without valid credentials uses the next valid pair in its file`() throws {
        try withStage { stage in
            stage.server.require(accessKeyID: "AKIASECOND")
            #expect(
                errno(of: { try withOpenFile("\(stage.mountPoint)/f1") { try $0.bytes(in: 0..<10) } })
                    == .permissionDenied)
            try stage.writeKeys("AKIASECOND")
            try eventually("a read with the new pair") {
                let error = errno(of: {
                    try checkWhole("\(stage.mountPoint)/f2", .pattern(seed: 2, byteCount: 3_000))
                })
                #expect(error == nil || error == .permissionDenied)
                return error == nil
            }
        }
    }

    @Test func `Credentials that a server repeats in its errors are in no message and no log`() throws {
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
