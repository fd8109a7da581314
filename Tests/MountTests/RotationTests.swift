import Foundation
import ObjectStore
import SystemPackage
import SystemSupport
import TestSupport
import Testing

/// Credentials that end while a mount is in use.
@Suite("Credentials of a mount", mounts) struct RotationTests {
    /// A bucket that takes one key only, and a mount of it whose key is in a file.
    private struct Stage {
        let server: S3TestServer
        let directory: String
        var mountPoint = ""
        static let fileCount = 2_000

        var keyFile: String { directory + "/credentials" }
        var logFile: String { directory + "/log" }
        var log: String { String(decoding: FileManager.default.contents(atPath: logFile) ?? Data(), as: UTF8.self) }

        /// Writes the keys as editors do: first nothing, then a half, then all.
        func writeKeys(_ id: String, slowly: Bool = false) throws {
            let text = "[default]\naws_access_key_id = \(id)\naws_secret_access_key = \(TestKeys.secretAccessKey)\n"
            for piece in slowly ? ["", String(text.prefix(40)), text] : [text] {
                try piece.write(toFile: keyFile, atomically: false, encoding: .utf8)
                if slowly { usleep(100_000) }
            }
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

    @Test func `are rotated under eight readers without a read that fails`() throws {
        try withStage { stage in
            let reads = SteadyReads(of: stage.mountPoint, readerCount: 8, fileCount: Stage.fileCount)
            try eventually("reads by all") { reads.counts.allSatisfy { $0.successCount > 0 } }
            // The old pair dies at once, the file comes a moment later, and in pieces.
            let start = ContinuousClock.now
            stage.server.require(accessKeyID: "AKIASECOND")
            try stage.writeKeys("AKIASECOND", slowly: true)
            let duration = ContinuousClock.now - start
            try eventually("the new pair") { stage.log.contains("there are other credentials now") }
            let before = reads.counts
            try eventually("reads by all with the new pair") {
                zip(reads.counts, before).allSatisfy { $0.successCount > $1.successCount }
            }
            try reads.end()
            #expect(stage.server.log.contains { $0.request.accessKeyID == "AKIASECOND" })
            // Requests wait for a second and a half: a busy machine may need longer to write a file.
            if duration < .seconds(1) { #expect(reads.counts.allSatisfy { $0.refusalCount == 0 }) }
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

    /// Thirty seconds, as the issue says, with `TRACTFS_STRESS`; a tenth of that without.
    @Test func `that are revoked under eight readers fail what is not cached until they are restored`() throws {
        let isStressed = ProcessInfo.processInfo.environment["TRACTFS_STRESS"] != nil
        try withStage { stage in
            try withOpenFile("\(stage.mountPoint)/f0") { cached in
                try cached.check(0..<3_000, .pattern(seed: 0, byteCount: 3_000), of: "f0")
                let reads = SteadyReads(of: stage.mountPoint, readerCount: 8, fileCount: Stage.fileCount)
                try eventually("reads by all") { reads.counts.allSatisfy { $0.successCount > 0 } }
                stage.server.require(accessKeyID: "AKIAOTHER")
                try eventually("refusals of all") { reads.counts.allSatisfy { $0.refusalCount > 0 } }
                let before = reads.counts
                let end = ContinuousClock.now + .seconds(isStressed ? 30 : 3)
                while ContinuousClock.now < end {
                    try cached.check(0..<3_000, .pattern(seed: 0, byteCount: 3_000), of: "f0")
                    try checkWhole("\(stage.mountPoint)/f0", .pattern(seed: 0, byteCount: 3_000))
                    usleep(50_000)
                }
                let after = reads.counts
                #expect(after.map(\.successCount) == before.map(\.successCount))
                for (before, after) in zip(before, after) { #expect(after.refusalCount > before.refusalCount + 10) }
                stage.server.require(accessKeyID: "AKIAFIRST")
                try eventually("reads by all again") {
                    zip(reads.counts, after).allSatisfy { $0.successCount > $1.successCount + 2 }
                }
                let healed = reads.counts
                try reads.end()
                #expect(reads.counts.map(\.refusalCount) == healed.map(\.refusalCount))
            }
            #expect(stage.log.split(separator: "\n").count { $0.contains("no need to mount again") } == 1)
            #expect(stage.log.split(separator: "\n").count { $0.contains("takes the credentials again") } == 1)
        }
    }

    @Test func `are good for all others where the store refuses a single object with SignatureDoesNotMatch`() throws {
        try withStage { stage in
            stage.server.script(.get("f1998"), .refuse(.signatureDoesNotMatch))
            func readBad() -> Errno? {
                errno(of: { try withOpenFile("\(stage.mountPoint)/f1998") { try $0.bytes(in: 0..<10) } })
            }
            // Nobody else reads: that it is this object alone isn't known yet.
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
