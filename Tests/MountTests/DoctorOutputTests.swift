import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

@Suite struct DoctorOutputTests {
    private static func arguments(_ server: S3TestServer) -> [String] {
        ["doctor", "s3://\(server.bucket)/HCP/", "--no-cache", "--endpoint-url", server.endpointURL]
    }

    @Test func `tractfs doctor prints a line for each check and a summary, without colors in a pipe`() throws {
        try withS3TestServer { server in
            server.put("HCP/README", .text("x"))
            server.script(.gets, .refuse(.accessDenied))
            let result = try run(tractfsExecutable(), Self.arguments(server), environment: environmentWithKeys)
            #expect(result.status == 1)
            #expect(result.errorOutput == "")
            let lines = result.output.split(separator: "\n").map(String.init)
            #expect(lines.count == Diagnosis.checks.count + 1)
            for (line, check) in zip(lines, Diagnosis.checks) {
                #expect(
                    line.wholeMatch(of: /(ok|warning|failure|skipped) +([a-z-]+): [^ ].*[^.]/)?.output.2 == check[...])
            }
            #expect(lines.contains { $0.hasPrefix("failure  read: can't read s3://tract-test/HCP/README: ") })
            #expect(lines.contains("skipped  round-trip: nothing could be read"))
            #expect(lines.last?.hasPrefix("a mount can't work like this (") == true)
            #expect(!result.output.contains("\u{1b}"))
            for secret in [TestKeys.accessKeyID, TestKeys.secretAccessKey, TestKeys.sessionToken] {
                #expect(!result.output.contains(secret))
            }
        }
    }

    @Test("tractfs doctor prints colors on a terminal, unless NO_COLOR is set", arguments: ["", "1"])
    func colours(noColor: String) throws {
        try withS3TestServer { server in
            let output = try runOnTerminal(
                [try tractfsExecutable()] + Self.arguments(server),
                environment: environmentWithKeys.merging(["NO_COLOR": noColor, "TERM": "xterm"]) { $1 }
            ).output
            #expect(output.contains("\u{1b}[32mok\u{1b}[0m       settings: ") == noColor.isEmpty)
            #expect(output.contains("ok       settings: ") == !noColor.isEmpty)
        }
    }

    @Test func `tractfs doctor prints no control characters`() throws {
        try withS3TestServer { server in
            server.put("HCP/\u{1b}[31mred", .text("x"))
            let result = try run(tractfsExecutable(), Self.arguments(server), environment: environmentWithKeys)
            #expect(result.output.contains("red can be read"))
            #expect(!result.output.contains("\u{1b}"))
        }
    }

    @Test func `tractfs doctor ends with Ctrl-C, also while a server is silent`() throws {
        try withS3TestServer { server in
            server.script(.any, .linger(.stall))
            try withTemporaryDirectory { directory in
                let doctor = try BackgroundProcess(
                    tractfsExecutable(), Self.arguments(server), environment: environmentWithKeys,
                    outputDirectory: directory)
                defer { doctor.end() }
                try eventually("a question to the server") { !server.log.isEmpty }
                kill(doctor.processID, SIGINT)
                try doctor.waitForEnd(timeout: .seconds(30))
                #expect(doctor.status == -SIGINT)
                #expect(doctor.errorOutput == "")
            }
        }
    }

    @Test func `tractfs doctor takes the options of a mount, also as in fstab`() throws {
        let options = ["-o", "ro,_netdev,no_cache,xattrs,uid=1000", "--metadata-ttl", "1h", "--foreground"]
        let result = try run(
            tractfsExecutable(),
            ["doctor", "s3://x", "--endpoint-url", "http://127.0.0.1:1", "--read-timeout", "1s"] + options,
            environment: environmentWithKeys)
        #expect(result.status == 1)
        #expect(result.output.contains("connection"))
        #expect(result.errorOutput == "")
    }

    @Test func `tractfs doctor reports wrong usage with the exit status of all commands`() throws {
        for arguments in [["doctor"], ["doctor", "s3://x", "--bogus"], ["doctor", "s3://x", "--cache-size", "1"]] {
            let result = try run(tractfsExecutable(), arguments, environment: environmentWithKeys)
            #expect(result.status == 64)
            #expect(result.errorOutput.contains("see tractfs doctor --help"))
        }
    }
}

@Suite(.enabled(if: geteuid() == 0, "needs root, to change what the machine looks like"))
struct DoctorMachineTests {
    /// Runs the doctor in a mount namespace that `script` has changed; nothing there is asked of a store.
    private func diagnosis(after script: String, _ options: [String]) throws -> Diagnosis {
        try Diagnosis(
            of: "s3://tract-test", options + ["--endpoint-url", "http://127.0.0.1:1"],
            launcher: inMountNamespace("set -e; \(script); exec \"$0\" \"$@\""))
    }

    @Test func `tractfs doctor says how to get a missing /dev/fuse`() throws {
        let diagnosis = try diagnosis(
            after: "mount -t tmpfs none /dev; mknod -m 666 /dev/null c 1 3", ["--no-cache"])
        try diagnosis.expect("fuse", "failure", ["no /dev/fuse", "modprobe fuse", "--device /dev/fuse"])
        try diagnosis.expect("passthrough", "skipped", ["there is none"])
        try diagnosis.expect("cache", "ok", ["none"])
    }

    @Test(.enabled(if: fuseAvailable, Comment(rawValue: fuseMissing)))
    func `tractfs doctor names the missing right to mount`() throws {
        let diagnosis = try Diagnosis(
            of: "s3://tract-test", ["--endpoint-url", "http://127.0.0.1:1", "--cache-dir", "/var/tmp/nothing-there"],
            launcher: ["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", "--"])
        try diagnosis.expect("fuse", "failure", ["not permitted", "--cap-add SYS_ADMIN"])
        try diagnosis.expect("passthrough", "warning", ["CAP_SYS_ADMIN"])
    }

    @Test func `tractfs doctor reports a read-only folder of the cache`() throws {
        try withTemporaryDirectory { directory in
            let script = "mount -t tmpfs -o ro none \(directory)"
            let cache = ["--cache-dir", directory + "/cache"]
            try diagnosis(after: script, cache).expect("cache", "failure", ["Read-only", "--cache-dir", "--no-cache"])
            try diagnosis(after: "mount -t tmpfs -o ro none /var/cache", [])
                .expect("cache", "warning", ["Read-only", "keeps nothing on the disk"])
        }
    }

    @Test func `tractfs doctor reports the free space for the cache on a full disk, in memory or not`() throws {
        try withTemporaryDirectory { directory in
            let cache = ["--cache-dir", directory]
            let small = try diagnosis(after: "mount -t tmpfs -o mode=700,size=1m none \(directory)", cache)
            try small.expect("cache", "warning", ["nothing would be kept", "make room"])
            let medium = try diagnosis(after: "mount -t tmpfs -o mode=700,size=100m none \(directory)", cache)
            try medium.expect("cache", "warning", ["less than the limit", "of 10GiB"])
            let big = try diagnosis(
                after: "mount -t tmpfs -o mode=700,size=100m none \(directory)", cache + ["--cache-size", "64MiB"])
            try big.expect("cache", "warning", ["takes memory"])
            #expect(try big["cache"].values["file_system"] as? String == "tmpfs")
        }
    }

    @Test(arguments: [
        ("nfs4", ["is slow for this", "listings would not be kept"]), ("lustre,flock", ["is slow for this"]),
        ("beegfs", ["nothing would be kept"]), ("fuse.sshfs", ["nothing would be kept"]),
    ])
    func `tractfs doctor recommends a local disk for a cache on a network file system`(
        type: String, words: [String]
    ) throws {
        try withTemporaryDirectory { directory in
            let diagnosis = try diagnosis(
                after: "export TRACTFS_ASSUMED_FILE_SYSTEM=\(type)", ["--cache-dir", directory + "/cache"])
            try diagnosis.expect("cache", "warning", words + ["a folder on a local disk", "$TMPDIR", "/scratch"])
            #expect(try diagnosis["cache"].values["file_system"] as? String == "\(type.split(separator: ",")[0])")
        }
    }

    @Test(.enabled(if: passthroughAvailable, "needs root and Linux 6.9"))
    func `tractfs doctor warns that a cache on overlayfs has no passthrough`() throws {
        try withTemporaryDirectory { directory in
            let script = """
                cd \(directory); mkdir upper lower work merged; mount -t tmpfs none upper; mkdir upper/upper upper/work
                mount -t overlay overlay -o lowerdir=lower,upperdir=upper/upper,workdir=upper/work merged
                """
            let diagnosis = try diagnosis(after: script, ["--cache-dir", directory + "/merged/cache"])
            try diagnosis.expect("passthrough", "warning", ["merged/cache is on overlay", "--cache-dir"])
        }
    }

    @Test func `tractfs doctor reports an unusable folder of the cache`() throws {
        try withTemporaryDirectory { directory in
            let cache = ["--cache-dir", directory + "/cache"]
            for (script, words) in [
                ("touch", ["not a directory"]), ("mkdir -m 770", ["writable for others"]),
                ("ln -s nowhere", ["symbolic link"]), ("mkdir -p -m 700 \(directory)/cache/thesis", ["other things"]),
            ] {
                try diagnosis(after: "rm -rf \(directory)/cache; \(script) \(directory)/cache", cache)
                    .expect("cache", "failure", words)
            }
        }
    }

    @Test func `tractfs doctor reports memory that is too little for the connections`() throws {
        let diagnosis = try diagnosis(after: "true", ["--memory-limit", "64MiB", "--max-connections", "1024"])
        try diagnosis.expect("memory", "warning", ["64MiB", "no room for 1024", "--memory-limit"])
    }
}
