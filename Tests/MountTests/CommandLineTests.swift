import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// Mounts the server's bucket, or `prefix` of it, with these options.
private func withMount<Result>(
    of server: S3TestServer, prefix: String = "", _ options: [String] = [], environment: [String: String] = [:],
    _ body: (String) throws -> Result
) throws -> Result {
    try TestSupport.withMount(
        uri: "s3://\(server.bucket)/\(prefix)", options: ["--endpoint-url", server.endpointURL] + options,
        environment: environmentWithKeys.merging(environment) { $1 }, body)
}

/// Starts a server with one small tree.
private func withTree<Result>(_ body: (S3TestServer) throws -> Result) throws -> Result {
    try withS3TestServer { server in
        server.put("HCP/100307/T1w.nii", .pattern(seed: 1, byteCount: 10_000), storageClass: "STANDARD_IA")
        server.put("HCP/README", .text("read me"), etag: ETag("\"abc\""))
        return try body(server)
    }
}

/// Runs the tractfs under test.
private func tractfs(
    _ arguments: String..., environment: [String: String] = [:], directory: String? = nil
) throws -> CommandResult {
    try run(tractfsExecutable(), arguments, environment: environment, directory: directory, timeout: .seconds(30))
}

/// Returns the number of established TCP connections to a port of this machine. The kernel's table is read in pieces,
/// and may show a closed connection beside its successor, so only connections in two readings count.
private func connectionCount(toPort port: Int) -> Int {
    localEnds(ofConnectionsToPort: port).intersection(localEnds(ofConnectionsToPort: port)).count
}

/// The local addresses (proc_net_tcp(5): the second field; the third is the remote address, the fourth the state).
private func localEnds(ofConnectionsToPort port: Int) -> Set<Substring> {
    // Longer than the page that FileManager reads of a file in /proc, whose size is said to be 0.
    let table = FileHandle(forReadingAtPath: "/proc/net/tcp")?.readDataToEndOfFile() ?? Data()
    let suffix = ":" + String(format: "%04X", port)
    let lines = String(decoding: table, as: UTF8.self).split(separator: "\n").map { $0.split(separator: " ") }
    return Set(lines.filter { $0.count > 3 && $0[2].hasSuffix(suffix) && $0[3] == "01" }.map { $0[1] })
}

private func stat(_ format: String, _ path: String) throws -> String {
    try runChecked("stat", ["-c", format, path]).trimmingCharacters(in: .whitespacesAndNewlines)
}

@Suite struct HelpTests {
    private static let mountOptions = [
        "--endpoint-url", "--region", "--profile", "--no-sign-request", "--request-payer", "--expected-bucket-owner",
        "--sse-c-key-file", "--unordered-listings",
        "--addressing-style",
        "--ca-bundle", "--max-connections", "--read-timeout", "--uid", "--gid", "--file-mode", "--dir-mode",
        "--inode-bits",
        "--allow-other", "--xattrs", "--presign-xattr", "--cache-dir", "--cache-size", "--no-cache", "--no-refetch",
        "--metadata-ttl",
        "--memory-limit",
        "--metadata-limit",
        "--overlay <folder>", "--foreground", "--retry", "--log-level", "--log-file", "--log-format", "--noexec",
        "-o", "--config", "--cache/--no-cache", "--no-allow-other", "(default: 10GiB)",
    ]

    @Test(
        "--help goes to standard output and names all commands and options",
        arguments: [
            (["--help"], ["mount", "unmount", "status", "refresh", "warm", "presign", "cache", "config", "--version"]),
            (["mount", "--help"], mountOptions),
            (["refresh", "--help"], ["<path>", "--metadata-ttl"]), (["warm", "--help"], ["<path>", "--metadata"]),
            (["presign", "--help"], ["--expires-in", "--recursive", "--include", "--exclude", "--json", "--profile"]),
            (["unmount", "--help"], ["--grace", "<mount-point>"]), (["help", "mount"], mountOptions),
            (["cache", "--help"], ["list", "verify", "clear"]), (["cache"], ["list", "verify", "clear"]),
            (["config", "--help"], ["show", "/etc/tractfs.toml", "TRACTFS_CACHE_DIR", "[bucket.hcp-openaccess]"]),
            (["config", "show", "--help"], ["--config", "--json", "\"source\""]),
            (["cache", "list", "--help"], ["--cache-dir", "--json", "cached_bytes"]),
            (["cache", "verify", "--help"], ["--cache-dir", "exit status"]),
            (["help", "cache", "clear"], ["--cache-dir", "s3://BUCKET[/PREFIX]"]),
            (["--version"], ["0.1.0"]), ([], ["mount", "unmount"]),
        ])
    func help(arguments: [String], words: [String]) throws {
        let result = try run(tractfsExecutable(), arguments)
        #expect(result.status == 0)
        #expect(result.errorOutput == "")
        for word in words { #expect(result.output.contains(word)) }
    }
}

@Suite(mounts) struct MountOptionTests {
    @Test(
        "--uid, --gid and modes set owner and permissions, also through -o",
        arguments: [
            ["--uid", "1234", "--gid", "2345", "--file-mode", "0440", "--dir-mode", "0550"],
            ["-o", "uid=1234,gid=2345,file_mode=0440,dir_mode=550"],
            [
                "-o", "ro,_netdev,nofail,x-systemd.automount,allow_other",
                "-ouid=1234,gid=2345,file-mode=440,dir-mode=550",
            ],
        ])
    func ownership(options: [String]) throws {
        try withTree { server in
            try withMount(of: server, options) { mountPoint throws in
                #expect(try stat("%u %g %a", mountPoint) == "1234 2345 550")
                #expect(try stat("%u %g %a", mountPoint + "/HCP") == "1234 2345 550")
                #expect(try stat("%u %g %a", mountPoint + "/HCP/README") == "1234 2345 440")
            }
        }
    }

    @Test func `--xattrs shows the metadata of S3 as attributes, and without it there are none`() throws {
        try withTree { server in
            let names = ["user.s3.etag", "user.s3.key", "user.s3.storage_class", "user.s3.uri"]
            let values = ["abc", "HCP/README", "STANDARD", "s3://\(server.bucket)/HCP/README"]
            try withMount(of: server, ["--xattrs"]) { mountPoint throws in
                let file = mountPoint + "/HCP/README"
                for (name, value) in zip(names, values) {
                    let shown = try runChecked("getfattr", ["--only-values", "--absolute-names", "-n", name, file])
                    #expect(shown == value)
                }
                let list = try runChecked("getfattr", ["--absolute-names", file])
                #expect(list.split(separator: "\n").dropFirst().sorted().map(String.init) == names)
            }
            try withMount(of: server) { mountPoint throws in
                let result = try run(
                    "getfattr", ["-n", names[0], mountPoint + "/HCP/README"], environment: ["LC_ALL": "C"])
                #expect(result.status != 0)
                #expect(result.errorOutput.contains("Operation not supported"))
            }
        }
    }

    @Test func `--region is the region that requests are signed for`() throws {
        try withTree { server in
            try withMount(of: server, ["--region", "ap-south-1"]) { mountPoint throws in
                #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
            }
            #expect(Set(server.log.map(\.request.signedRegion)) == ["ap-south-1"])
        }
    }

    @Test(
        "An option of mount can come from its environment variable",
        arguments: ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"])
    func endpoint(variable: String) throws {
        try withTree { server in
            var environment = environmentWithKeys
            environment["AWS_ENDPOINT_URL"] = "http://127.0.0.1:1"
            environment[variable] = server.endpointURL
            environment["AWS_REGION"] = "eu-north-1"
            try TestSupport.withMount(uri: "s3://\(server.bucket)", environment: environment) { mountPoint throws in
                #expect(try runChecked("ls", [mountPoint]) == "HCP\n")
            }
            #expect(Set(server.log.map(\.request.signedRegion)) == ["eu-north-1"])
        }
    }

    @Test(
        "--profile names the profile whose keys are used",
        arguments: [
            (["--profile", "hcp"], [:]), (["-o", "profile=hcp"], ["AWS_PROFILE": "other"]),
            ([], ["AWS_PROFILE": "hcp", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""]),
        ])
    func profile(options: [String], environment: [String: String]) throws {
        try withTemporaryDirectory { directory in
            let (credentials, config) = (directory + "/credentials", directory + "/config")
            try "[hcp]\naws_access_key_id = AKIAOFTHEPROFILE\naws_secret_access_key = x\n[other]\n"
                .write(toFile: credentials, atomically: true, encoding: .utf8)
            try "[profile hcp]\nregion = us-west-2\n".write(toFile: config, atomically: true, encoding: .utf8)
            let files = ["AWS_SHARED_CREDENTIALS_FILE": credentials, "AWS_CONFIG_FILE": config]
            try withTree { server in
                server.require(accessKeyID: "AKIAOFTHEPROFILE")
                try withMount(of: server, options, environment: environment.merging(files) { $1 }) {
                    mountPoint throws in
                    #expect(try runChecked("ls", [mountPoint]) == "HCP\n")
                }
                #expect(Set(server.log.map(\.request.signedRegion)) == ["us-west-2"])
            }
        }
    }

    @Test func `--no-sign-request signs nothing, with keys or without`() throws {
        try withTree { server in
            for environment in [[:], environmentWithoutKeys] {
                try withMount(of: server, ["--no-sign-request"], environment: environment) { mountPoint throws in
                    #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
                }
            }
            #expect(!server.log.isEmpty)
            #expect(
                server.log.allSatisfy { $0.request.headers["authorization"] == nil && $0.request.accessKeyID == nil })
        }
    }

    @Test func `--request-payer is sent with every request`() throws {
        try withTree { server in
            try withMount(of: server, ["--request-payer"]) { mountPoint throws in
                #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
            }
            #expect(server.requests(.get).count == 1)
            #expect(server.log.allSatisfy { $0.request.headers["x-amz-request-payer"] == "requester" })
        }
    }

    @Test(
        "--addressing-style puts the bucket into the host or the path",
        arguments: [("virtual", true), ("path", false), ("auto", false)])
    func addressing(style: String, isInHost: Bool) throws {
        try withTree { server in
            let options = ["--addressing-style", style, "--endpoint-url", server.namedEndpointURL]
            try withMount(of: server, options) { mountPoint throws in
                #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
            }
            let host = (isInHost ? server.bucket + "." : "") + "localhost:\(server.port)"
            #expect(Set(server.log.map(\.request.headers["host"])) == [host])
        }
    }

    @Test func `--metadata-ttl is the time for which a listing is used`() throws {
        try withTree { server in
            let lifetime = 1
            try withMount(of: server, ["--metadata-ttl", "\(lifetime)s"]) { mountPoint throws in
                #expect(try runChecked("ls", [mountPoint + "/HCP"]) == "100307\nREADME\n")
                server.put("HCP/new", .text("new"))
                try eventually("the new file") { try runChecked("ls", [mountPoint + "/HCP"]).contains("new") }
            }
            try withMount(of: server, ["--metadata-ttl", "forever"]) { mountPoint throws in
                #expect(try runChecked("ls", [mountPoint + "/HCP"]) == "100307\nREADME\nnew\n")
                let listCount = server.requests(.list).count
                server.put("HCP/newer", .text("newer"))
                letPass(.seconds(lifetime * 2), of: "twice the --metadata-ttl of the mount before")
                #expect(try runChecked("ls", [mountPoint + "/HCP"]) == "100307\nREADME\nnew\n")
                #expect(server.requests(.list).count == listCount)
            }
        }
    }

    @Test func `--max-connections is never exceeded`() throws {
        try withTemporaryDirectory { directory in
            try withS3TestServer { server in
                for index in 0..<16 { server.put(Key("f\(index)"), .pattern(seed: UInt64(index), byteCount: 4 << 20)) }
                server.setLatency(.milliseconds(50))
                try withMount(of: server, ["--max-connections", "3"]) { mountPoint throws in
                    let script = "for i in $(seq 0 15); do cat $0/f$i > /dev/null & done; wait"
                    let readers = try BackgroundProcess("bash", ["-c", script, mountPoint], outputDirectory: directory)
                    defer { readers.end() }
                    var connectionCountMax = 0
                    try eventually("the end of the readers") {
                        connectionCountMax = max(connectionCountMax, connectionCount(toPort: server.port))
                        return !readers.isRunning
                    }
                    // They stay open for the next requests.
                    connectionCountMax = max(connectionCountMax, connectionCount(toPort: server.port))
                    #expect(readers.errorOutput == "")
                    #expect((1...3).contains(connectionCountMax))
                }
            }
        }
    }

    @Test func `--read-timeout ends a read without an answer with ETIMEDOUT`() throws {
        try withTree { server in
            try withMount(of: server, ["--read-timeout", "2s"]) { mountPoint throws in
                #expect(try runChecked("ls", [mountPoint + "/HCP"]) == "100307\nREADME\n")
                server.script(.gets, .linger(.stall))
                let result = try run(
                    "cat", [mountPoint + "/HCP/README"], environment: ["LC_ALL": "C"], timeout: .seconds(30))
                #expect(result.status == 1)
                #expect(result.errorOutput.contains("timed out"))
                server.clearScripts()
                #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
            }
        }
    }

    @Test func `--log-file is written from --log-level on, and opened again at SIGHUP`() throws {
        try withTemporaryDirectory { directory in
            let (log, rotated) = (directory + "/log", directory + "/log.1")
            try withTree { server in
                try withMount(of: server, ["--log-file", log, "--log-level", "debug"]) { mountPoint throws in
                    #expect(try runChecked("cat", [log]).contains("mounted s3://\(server.bucket)"))
                    try runChecked("mv", [log, rotated])
                    kill(try #require(MountProcesses(of: mountPoint)).supervisor, SIGHUP)
                    try eventually("the new log file") { FileManager.default.fileExists(atPath: log) }
                }
                #expect(try runChecked("cat", [log]).contains("ended"))
                #expect(!(try runChecked("cat", [rotated]).contains("ended")))
                #expect(try stat("%a", log) == "600")
                let quiet = directory + "/quiet"
                try withMount(of: server, ["--log-file", quiet, "--log-level", "error"]) { _ in }
                #expect(try runChecked("cat", [quiet]) == "")
            }
        }
    }

    @Test func `--foreground stays, logs to standard error and ends at SIGINT with status 0`() throws {
        try withTemporaryDirectory { directory in
            let mountPoint = directory + "/mount"
            try runChecked("mkdir", [mountPoint])
            try withTree { server in
                let process = try BackgroundProcess(
                    tractfsExecutable(),
                    [
                        "mount", "s3://\(server.bucket)", mountPoint, "--foreground", "--no-cache", "--endpoint-url",
                        server.endpointURL,
                    ],
                    environment: environmentWithKeys, outputDirectory: directory)
                defer { process.end() }
                try eventually("the mount") { process.errorOutput.contains("mounted s3://") }
                #expect(try runChecked("ls", [mountPoint]) == "HCP\n")
                #expect(process.isRunning)
                kill(process.processID, SIGINT)
                try process.waitForEnd(timeout: .seconds(20))
                #expect(process.status == 0)
                #expect(!isMounted(mountPoint))
            }
        }
    }

    @Test(
        "The prefix of the URI works with and without a slash at its end",
        arguments: [("HCP", "100307\nREADME\n"), ("HCP/100307/", "T1w.nii\n")])
    func prefix(prefix: String, listing: String) throws {
        try withTree { server in
            try withMount(of: server, prefix: prefix) { mountPoint throws in
                #expect(try runChecked("ls", [mountPoint]) == listing)
                #expect(
                    try runChecked("findmnt", ["-no", "SOURCE", mountPoint]) == "s3://\(server.bucket)/\(prefix)\n")
            }
        }
    }
}

@Suite(mounts) struct ClosedStreamsTests {
    @Test func `A mount command without standard streams mounts, and nothing else gets their numbers`() throws {
        try withTemporaryDirectory { directory in
            let mountPoint = directory + "/mount"
            try runChecked("mkdir", [mountPoint])
            try withTree { server in
                let script = "exec \"$0\" \"$@\" <&- >&- 2>&-"
                let arguments = [
                    "mount", "s3://\(server.bucket)", mountPoint, "--no-cache", "--endpoint-url", server.endpointURL,
                ]
                try runChecked(
                    "bash", ["-c", script, tractfsExecutable()] + arguments, environment: environmentWithKeys)
                let processes = try #require(MountProcesses(of: mountPoint))
                for process in [processes.server, processes.supervisor] {
                    for stream in 0...2 {
                        let target = try FileManager.default.destinationOfSymbolicLink(
                            atPath: "/proc/\(process)/fd/\(stream)")
                        #expect(target == "/dev/null")
                    }
                }
                #expect(try runChecked("cat", [mountPoint + "/HCP/README"]) == "read me")
                #expect(try tractfs("unmount", mountPoint).status == 0)
            }
        }
    }
}

@Suite(mounts) struct UnmountCommandTests {
    @Test(
        "tractfs unmount ends a mount by any name of its mount point",
        arguments: ["a folder", "link", "./a folder/", "a folder/../a folder"])
    func names(name: String) throws {
        try withTemporaryDirectory { directory in
            try runChecked("mkdir", [directory + "/a folder"])
            try runChecked("ln", ["-s", "a folder", directory + "/link"])
            try withTree { server in
                let mounted = try tractfs(
                    "mount", "s3://\(server.bucket)", name, "--no-cache", "--endpoint-url", server.endpointURL,
                    environment: environmentWithKeys, directory: directory)
                #expect(mounted.status == 0, "\(mounted.errorOutput)")
                #expect(try runChecked("ls", [directory + "/a folder"]) == "HCP\n")
                let unmounted = try tractfs("unmount", name, directory: directory)
                #expect(unmounted.status == 0 && unmounted.errorOutput == "", "\(unmounted.errorOutput)")
                #expect(!isMounted(directory + "/a folder"))
                #expect(processes(withArgument: server.endpointURL).isEmpty)
            }
        }
    }

    @Test func `tractfs unmount clears a mount whose server was killed`() throws {
        try withTree { server in
            try withMount(of: server) { mountPoint throws in
                try #require(MountProcesses(of: mountPoint)).killBoth()
                try eventually("the end of the server") { processes(withArgument: mountPoint).isEmpty }
                let result = try tractfs("unmount", mountPoint)
                #expect(result.status == 0, "\(result.errorOutput)")
                #expect(!isMounted(mountPoint))
            }
        }
    }

    @Test func `tractfs unmount refuses what is not a tractfs mount, and says what it is`() throws {
        try withTemporaryDirectory { directory in
            let missing = try tractfs("unmount", directory + "/missing")
            #expect(missing.status == 1 && missing.errorOutput.contains("nothing is mounted on \(directory)/missing"))
            let plain = try tractfs("unmount", directory)
            #expect(plain.status == 1 && plain.errorOutput.contains("nothing is mounted on \(directory)"))
            try runChecked("mount", ["-t", "tmpfs", "none", directory])
            defer { _ = umount(directory) }
            let other = try tractfs("unmount", directory)
            #expect(other.status == 1 && other.errorOutput.contains("tmpfs; use umount"))
            #expect(isMounted(directory))
        }
    }
}
