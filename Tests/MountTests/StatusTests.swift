import Foundation
import MountControl
import ObjectStore
import TestSupport
import Testing

@testable import tractfs

/// The status of a mount, compared with the server's log.
@Suite(mounts) struct StatusTests {
    private func tractfs(_ arguments: String...) throws -> CommandResult {
        try run(tractfsExecutable(), ["status"] + arguments, timeout: .seconds(60))
    }

    private func status(of mountPoint: String) throws -> MountStatus {
        try #require(MountStatus(parsing: runChecked(tractfsExecutable(), ["status", mountPoint, "--json"])))
    }

    /// Returns the status when no request is in flight.
    private func settledStatus(of mountPoint: String) throws -> MountStatus {
        var last: MountStatus?
        try eventually("that no request is in flight") {
            let status = try status(of: mountPoint)
            last = status
            return status.requests.inFlight + status.requests.waiting == 0
        }
        return try #require(last)
    }

    // MARK: Against the server's log

    private let fileCount = 40
    private let fileByteCount = 150_000

    private func fill(_ server: S3TestServer) {
        for index in 0..<fileCount {
            server.put(Key("study/sub-\(index % 4)/f\(index)"), .pattern(seed: UInt64(index), byteCount: fileByteCount))
        }
        server.put("study/large", .pattern(seed: 99, byteCount: 20 << 20))
        // A latency that makes the delays of a busy machine negligible: requests are late after twice that time.
        server.setLatency(.milliseconds(250))
    }

    /// Reads all there is, of a store that refuses some requests and is silent to one.
    private func readAll(_ server: S3TestServer, _ mountPoint: String) throws {
        server.script(.lists, .refuse(.slowDown), count: 2)
        server.script(.gets, .refuse(.slowDown), skipping: 5, count: 3)
        server.script(.gets, .refuse(.internalError), skipping: 12, count: 1)
        server.script(.get("study/sub-3/f39"), .linger(.stall), count: 1)
        try runChecked(
            "bash", ["-c", "find \"$0\" > /dev/null; find \"$0\" -type f | sort | xargs cat | wc -c", mountPoint])
    }

    private func compare(_ kind: MountStatus.Kind, with log: [S3TestServer.LogEntry]) {
        #expect(kind.sent == log.count)
        #expect(kind.sent + kind.unsent == kind.requests + kind.retries + kind.hedges)
        #expect(kind.errors["throttled"] ?? 0 == log.count { $0.status == 503 })
        #expect(kind.errors["server_fault"] ?? 0 == log.count { $0.status == 500 })
        #expect(kind.failed == 0)
        #expect(kind.receivedBytes <= log.reduce(0) { $0 + $1.sentByteCount })
    }

    /// Returns `true` if the server has sent some bytes twice: in a late response, and in its hedge, which was as fast.
    /// Only the client knows how many of these arrived.
    private func hasSentTwice(_ log: [S3TestServer.LogEntry]) -> Bool {
        let answers = log.filter { $0.status == 206 && $0.sentByteCount > 0 }
        return Set(answers.map { "\($0.request.key) \($0.request.headers["range"] ?? "")" }).count < answers.count
    }

    @Test func `tractfs status agrees with the server's own log, request for request and byte for byte`() throws {
        // On a busy machine responses may be late by themselves, but not in each of several runs.
        var isExact = false
        for _ in 0..<5 where !isExact {
            try withS3TestServer(pageLimit: 10) { server in
                fill(server)
                let options = ["--endpoint-url", server.endpointURL]
                try withMount(
                    uri: "s3://\(server.bucket)/study", options: options, environment: environmentWithKeys
                ) { mountPoint in
                    try readAll(server, mountPoint)
                    let status = try settledStatus(of: mountPoint)
                    let requests = status.requests
                    let (gets, lists) = (server.requests(.get), server.requests(.list))
                    #expect(server.log.count == gets.count + lists.count)
                    compare(requests.get, with: gets)
                    compare(requests.list, with: lists)
                    #expect(requests.get.timeToFirstByte.count >= fileCount)
                    #expect(requests.list.timeToFirstByte.count >= requests.list.requests)
                    // Small files may become backing files, which the kernel reads itself.
                    #expect(status.reads.s3Bytes >= 20 << 20)
                    if hasSentTwice(gets + lists) { return }
                    isExact = true
                    #expect(requests.get.receivedBytes == gets.reduce(0) { $0 + $1.sentByteCount })
                    #expect(requests.list.receivedBytes == lists.reduce(0) { $0 + $1.sentByteCount })
                    // Four requests were refused, and one was not answered.
                    #expect(requests.get.retries + requests.get.hedges >= 5)
                }
            }
        }
        #expect(isExact, "the server has sent something twice each time")
    }

    // MARK: What is said

    /// Reads a MiB of a file past the kernel's cache.
    private func readMebibyte(_ path: String) throws {
        try runChecked("dd", ["if=\(path)", "of=/dev/null", "bs=1M", "count=1", "iflag=direct", "status=none"])
    }

    @Test func `tractfs status tells bytes from S3, from the disk and from memory apart, and shows no secret`() throws {
        try withS3TestServer { server in
            server.put("large", .pattern(seed: 1, byteCount: 20 << 20))
            try withTemporaryDirectory { cache in
                try withMount(of: server, options: ["--cache-dir", cache]) { mountPoint in
                    try readMebibyte(mountPoint + "/large")
                    try readMebibyte(mountPoint + "/large")
                    let reads = try settledStatus(of: mountPoint).reads
                    #expect(reads.s3Bytes == 1 << 20 && reads.memoryCacheBytes == 1 << 20 && reads.diskCacheBytes == 0)
                    try eventually("that it is on the disk") {
                        try #require(status(of: mountPoint).diskCache).usedBytes >= 1 << 20
                    }
                    let json = try runChecked(tractfsExecutable(), ["status", mountPoint, "--json"])
                    #expect(json.contains("environment"))
                    for secret in [TestKeys.secretAccessKey, TestKeys.sessionToken, TestKeys.accessKeyID] {
                        #expect(!json.contains(secret))
                    }
                }
                try withMount(of: server, options: ["--cache-dir", cache]) { mountPoint in
                    try readMebibyte(mountPoint + "/large")
                    let status = try settledStatus(of: mountPoint)
                    #expect(status.reads.diskCacheBytes == 1 << 20 && status.reads.s3Bytes == 0)
                    #expect(status.reads.waited <= status.reads.reads && status.reads.failed == 0)
                    #expect(try #require(status.diskCache).directory == cache)
                }
            }
        }
    }

    @Test(takeoverAvailable) func `tractfs status of the next serving process begins its counts again`() throws {
        try withS3TestServer { server in
            server.put("folder/file", .text("x"))
            try withMount(of: server, options: ["--no-cache"]) { mountPoint in
                try runChecked("cat", [mountPoint + "/folder/file"])
                let first = try settledStatus(of: mountPoint)
                #expect(first.generation == 1 && first.requests.get.sent == 1 && first.diskCache == nil)
                kill(Int32(first.serverPid), SIGKILL)
                let second = try settledStatus(of: mountPoint)
                #expect(second.generation == 2 && second.serverPid != first.serverPid)
                #expect(second.requests.get.sent == 0 && second.mountedAt == first.mountedAt)
                #expect(try #require(second.kernel).requests > #require(first.kernel).requests)
            }
        }
    }

    @Test func `tractfs status lists all mounts, also those that do not answer`() throws {
        try withS3TestServer { server in
            server.put("file", .text("x"))
            try withMounts(2, of: server, options: []) { mountPoints in
                let processes = try #require(MountProcesses(of: mountPoints[1]))
                // The supervisor first, or it would start another server.
                for process in [processes.supervisor, processes.server] { kill(process, SIGSTOP) }
                defer { for process in [processes.server, processes.supervisor] { kill(process, SIGCONT) } }
                let all = try tractfs("--json")
                #expect(all.status == 0)
                let json = try JSONSerialization.jsonObject(with: Data(all.output.utf8))
                let objects = try #require(json as? [[String: Any]])
                let errors = mountPoints.map { path in
                    objects.first { $0["mount_point"] as? String == path }?["error"] as? String
                }
                #expect(errors[0] == nil && errors[1]?.contains("doesn't answer") == true)
                let text = try tractfs(mountPoints[0])
                #expect(text.status == 0 && text.output.hasPrefix("\(mountPoints[0]): s3://\(server.bucket)"))
                let alone = try tractfs(mountPoints[1])
                #expect(alone.status == 1 && alone.errorOutput.contains("doesn't answer"))
            }
        }
    }

    @Test func `tractfs status --prometheus writes valid metrics, and replaces a file with them in one step`() throws {
        try withS3TestServer { server in
            server.put("file", .pattern(seed: 1, byteCount: 100_000))
            try withTemporaryDirectory { directory in
                try withMount(of: server) { mountPoint in
                    try runChecked("cat", [mountPoint + "/file"])
                    let file = directory + "/tractfs.prom"
                    for _ in 0..<2 { try #expect(tractfs(mountPoint, "--prometheus", "-o", file).output == "") }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["tractfs.prom"])
                    let script = packageRoot + "/Tests/MountTests/prometheus_samples.py"
                    let json = try runChecked(pythonExecutable(), [script, file])
                    let samples = try JSONDecoder().decode([String: Double].self, from: Data(json.utf8))
                    let mount = "\"mount_point\": \"\(mountPoint)\"}"
                    #expect(samples["tractfs_up{\(mount)"] == 1)
                    #expect(samples["tractfs_s3_sent_total{\"kind\": \"get\", \(mount)"] == 1)
                    #expect(samples["tractfs_s3_received_bytes_total{\"kind\": \"get\", \(mount)"] == 100_000)
                    #expect(samples["tractfs_s3_time_to_first_byte_seconds_count{\"kind\": \"get\", \(mount)"] == 1)
                    #expect(samples["tractfs_read_bytes_total{\(mount.dropLast()), \"source\": \"s3\"}"] == 100_000)
                }
            }
        }
    }

    @Test func `tractfs status --watch shows a screen of 80 columns, and restores the terminal`() throws {
        try withS3TestServer { server in
            server.put("file", .text("x"))
            try withMount(of: server) { mountPoint in
                let script = packageRoot + "/Tests/MountTests/watch_status.py"
                let frame = try runChecked(pythonExecutable(), [script, tractfsExecutable(), mountPoint])
                #expect(frame.contains("from S3"))
            }
        }
    }

    @Test(
        "tractfs status says what is wrong with its arguments",
        arguments: [
            (["/"], "is not in a tractfs mount"), (["/no/such"], "/no/such can't be found"),
            ([""], "give the folder, or none"), (["--json", "--prometheus"], "give one of them"),
            (["--watch", "--json"], "leave out --json"), (["--watch"], "--watch needs a terminal"),
            (["--watch", "-o", "x"], "--output writes a file"),
            (["-o", "/no/such/file"], "can't write /no/such/file"),
        ])
    func usage(arguments: [String], message: String) throws {
        let result = try run(tractfsExecutable(), ["status"] + arguments)
        #expect(result.status != 0)
        #expect(result.output == "")
        #expect(result.errorOutput.contains(message))
        #expect(result.errorOutput.split(separator: "\n").count == 1)
    }
}
