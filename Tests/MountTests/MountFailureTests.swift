import Foundation
import Glibc
import ObjectStore
import TestSupport
import Testing

/// A mount that must fail, and the message for its user.
struct HopelessMount: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var uri = "s3://tract-test/"
    var options: [String] = []
    var environment = environmentWithKeys
    /// The behavior of the server, if there is one.
    var script: @Sendable (S3TestServer) -> Void = { _ in }
    /// A Boolean value that is `true` if the mount is tried with `--foreground` as well.
    var isTriedInForeground = true
    /// Words of the message.
    let words: [String]

    init(
        _ description: String, uri: String = "s3://tract-test/", _ options: [String] = [],
        environment: [String: String] = [:], isTriedInForeground: Bool = true, says words: [String],
        script: @escaping @Sendable (S3TestServer) -> Void = { _ in }
    ) {
        testDescription = description
        self.uri = uri
        self.options = options
        self.environment.merge(environment) { $1 }
        self.isTriedInForeground = isTriedInForeground
        self.words = words
        self.script = script
    }
}

/// Runs `tractfs mount` and expects it to fail with one line, to leave nothing behind and to tell no secret.
///
/// - Parameter launcher: A command that starts the command behind it.
func expectFailure(
    of mount: HopelessMount, at mountPoint: String, launcher: [String] = [], moreOptions: [String] = [],
    executable: String? = nil, sourceLocation: SourceLocation = #_sourceLocation
) throws {
    try withTemporaryDirectory { directory in
        let logFile = directory + "/log"
        chmod(directory, 0o777)
        let wasMounted = isMounted(mountPoint)
        let command =
            launcher
            + [try executable ?? tractfsExecutable(), "mount", mount.uri, mountPoint]
            + ["--log-level", "trace", "--log-file", logFile] + mount.options + moreOptions
        let result = try run(command[0], Array(command.dropFirst()), environment: mount.environment)
        #expect(result.status > 0, sourceLocation: sourceLocation)
        #expect(result.output == "", sourceLocation: sourceLocation)
        let lines = result.errorOutput.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 2 && lines.last == "", "one line: \(result.errorOutput)", sourceLocation: sourceLocation)
        #expect(result.errorOutput.hasPrefix("tractfs: "), sourceLocation: sourceLocation)
        for word in mount.words {
            #expect(result.errorOutput.contains(word), sourceLocation: sourceLocation)
        }
        #expect(isMounted(mountPoint) == wasMounted, sourceLocation: sourceLocation)
        #expect(processes(withArgument: logFile).isEmpty, sourceLocation: sourceLocation)
        let log = FileManager.default.contents(atPath: logFile).map { String(decoding: $0, as: UTF8.self) } ?? ""
        for secret in [TestKeys.secretAccessKey, TestKeys.sessionToken] {
            #expect(!(result.errorOutput + log).contains(secret), sourceLocation: sourceLocation)
        }
    }
}

/// Tries the mount in the background and, unless that takes long, in the foreground, on an empty folder.
private func expectFailure(of mount: HopelessMount, moreOptions: [String] = []) throws {
    for way in mount.isTriedInForeground ? [[], ["--foreground"]] : [[]] {
        try withTemporaryDirectory { directory in
            try expectFailure(of: mount, at: directory, moreOptions: moreOptions + way)
        }
    }
}

@Suite struct MountFailureTests {
    @Test(
        "A mount with an invalid argument fails with its name and the right form",
        arguments: [
            HopelessMount("an unknown option", ["--bogus"], says: ["--bogus", "tractfs mount --help"]),
            HopelessMount(
                "a size in bananas", ["--memory-limit", "5 bananas"], says: ["--memory-limit", "5 bananas", "512MiB"]),
            HopelessMount("a size of 0", ["--memory-limit", "0"], says: ["--memory-limit", "'0'", "512MiB"]),
            HopelessMount(
                "a size too big to count", ["--memory-limit", "9999999999GiB"], says: ["9999999999GiB", "512MiB"]),
            HopelessMount(
                "less memory for listings than works", ["--metadata-limit", "1MiB"],
                says: ["--metadata-limit", "1MiB", "8MiB"]),
            HopelessMount(
                "nothing but listings in memory", ["--memory-limit", "128MiB", "-o", "metadata_limit=65MiB"],
                says: ["--metadata-limit", "65MiB", "at most 64MiB", "--memory-limit"]),
            HopelessMount("more memory than there is", ["--memory-limit", "900TiB"], says: ["900TiB", "give less"]),
            HopelessMount(
                "less memory than works", ["--memory-limit", "4MiB"], says: ["--memory-limit", "4MiB", "64MiB"]),
            HopelessMount("less disk than works", ["--cache-size", "1MiB"], says: ["--cache-size 1MiB", "64MiB"]),
            HopelessMount(
                "a cache and none", ["--cache-dir", "/tmp/c", "--no-cache"], says: ["--cache-dir", "--no-cache"]),
            HopelessMount("a cache nowhere", ["--cache-dir", ""], says: ["--cache-dir"]),
            HopelessMount("a time without a unit", ["--read-timeout", "5"], says: ["--read-timeout", "'5'", "30s"]),
            HopelessMount("no time", ["--read-timeout", "0s"], says: ["--read-timeout", "1s"]),
            HopelessMount("a time below nothing", ["--metadata-ttl=-1s"], says: ["--metadata-ttl", "-1s", "forever"]),
            HopelessMount(
                "a lifetime in words", ["--metadata-ttl", "soon"], says: ["--metadata-ttl", "soon", "forever"]),
            HopelessMount("a mode with a 9", ["--file-mode", "0944"], says: ["--file-mode", "0944", "octal"]),
            HopelessMount("inode numbers of 16 bits", ["--inode-bits", "16"], says: ["--inode-bits", "32", "64"]),
            HopelessMount(
                "inode numbers of 32 bits in an overlay", ["--inode-bits", "32", "--overlay", "/tmp"],
                says: ["--inode-bits 32: an overlay makes inode numbers of 64 bits"]),
            HopelessMount("a mode in letters", ["--dir-mode", "rwxr-x"], says: ["--dir-mode", "rwxr-x", "octal"]),
            HopelessMount("a mode with set-user-id", ["--file-mode", "4755"], says: ["--file-mode", "4755", "octal"]),
            HopelessMount("a user by name", ["--uid", "alice"], says: ["--uid", "alice", "number"]),
            HopelessMount("a group below 0", ["--gid=-1"], says: ["--gid", "-1", "number"]),
            HopelessMount("no connections", ["--max-connections", "0"], says: ["--max-connections", "1024"]),
            HopelessMount("an unknown style", ["--addressing-style", "x"], says: ["auto", "path", "virtual"]),
            HopelessMount("an unknown log level", ["--log-level", "loud"], says: ["loud", "trace", "critical"]),
            HopelessMount(
                "a region with a space", ["--region", "eu west"], says: ["--region", "eu west", "us-east-1"]),
            HopelessMount(
                "an endpoint without scheme", ["--endpoint-url", "localhost:9000"],
                says: ["--endpoint-url", "https://"]),
            HopelessMount(
                "an endpoint with a password", ["--endpoint-url", "http://me:\(TestKeys.secretAccessKey)@x"],
                says: ["--endpoint-url", "user name or password"]),
            HopelessMount("one slash", uri: "s3:/x", says: ["s3:/x", "s3://BUCKET[/PREFIX]"]),
            HopelessMount(
                "another scheme", uri: "http://tract-test/", says: ["http://tract-test/", "s3://BUCKET[/PREFIX]"]),
            HopelessMount("no bucket", uri: "s3://", says: ["s3://BUCKET[/PREFIX]"]),
            HopelessMount("a bucket that can't be", uri: "s3://A_B", says: ["A_B", "a-z, 0-9"]),
            HopelessMount("an unknown profile", ["--profile", "nobody"], says: ["profile nobody"]),
            HopelessMount(
                "an unknown profile in the environment", environment: ["AWS_PROFILE": "nobody"],
                says: ["profile nobody"]),
            HopelessMount(
                "no keys", environment: environmentWithoutKeys,
                says: ["no AWS credentials", "--profile", "--no-sign-request"]),
            HopelessMount(
                "half of the keys", environment: ["AWS_SECRET_ACCESS_KEY": ""], says: ["AWS_SECRET_ACCESS_KEY"]),
            HopelessMount(
                "a log file without a folder", ["--log-file", "/nonexistent/log"], says: ["/nonexistent/log", "folder"]),
            HopelessMount("a folder as the log file", ["--log-file", "/"], says: ["log file /", "directory"]),
            HopelessMount("more arguments", ["more"], says: ["'more'", "tractfs mount --help"]),
            HopelessMount("-o with what isn't there", ["-o", "ro,bogus"], says: ["-o bogus", "tractfs mount --help"]),
            HopelessMount("-o rw", ["-o", "rw"], says: ["-o rw", "read-only"]),
            HopelessMount("-o without a value", ["-o", "uid"], says: ["-o uid", "uid="]),
            HopelessMount("-o with a bad value", ["-o", "uid=alice"], says: ["--uid", "alice"]),
            HopelessMount("-o without options", ["-o"], says: ["-o"]),
        ])
    func arguments(_ mount: HopelessMount) throws {
        try expectFailure(of: mount)
    }

    @Test func `A mount with a profile without keys fails with the profile and its files`() throws {
        try withTemporaryDirectory { directory in
            let config = directory + "/config"
            try "[profile hcp]\nregion = us-west-2\n".write(toFile: config, atomically: true, encoding: .utf8)
            let mount = HopelessMount(
                "", ["--profile", "hcp"], environment: ["AWS_CONFIG_FILE": config],
                says: ["profile hcp", "aws_access_key_id", config])
            try expectFailure(of: mount)
        }
    }

    @Test(
        "A mount that the store refuses fails with the reason and the remedy",
        arguments: [
            HopelessMount("an expired token", says: ["ExpiredToken", "get new keys", "the environment"]) {
                $0.script(.any, .refuse(.expiredToken))
            },
            HopelessMount("keys without the right to list", says: ["AccessDenied", "may not list", "the environment"]) {
                $0.script(.any, .refuse(.accessDenied))
            },
            HopelessMount("no keys at a bucket that needs some", ["--no-sign-request"], says: ["--no-sign-request"]) {
                $0.require(accessKeyID: TestKeys.accessKeyID)
            },
            HopelessMount("another region that the store doesn't name", says: ["give the bucket's region", "--region"])
            {
                $0.script(.any, .refuse(.error(status: 301, code: "PermanentRedirect")))
            },
            HopelessMount("another region that can't be one", says: ["region", "--region"]) {
                $0.script(.any, .refuse(.otherRegion("../evil", status: 301)))
            },
            HopelessMount(
                "a prefix that is a file", uri: "s3://tract-test/HCP/README.txt",
                says: ["is a file", "s3://tract-test/HCP/"]
            ) { $0.put("HCP/README.txt", .text("x")) },
            HopelessMount(
                "a file, given as a folder", uri: "s3://tract-test/HCP/README.txt/",
                says: ["is a file", "s3://tract-test/HCP/"]
            ) { $0.put("HCP/README.txt", .text("x")) },
            HopelessMount("a file at the top", uri: "s3://tract-test/README", says: ["is a file", "s3://tract-test/"]) {
                $0.put("README", .text("x"))
            },
            HopelessMount(
                "a prefix with nothing under it", uri: "s3://tract-test/hcp/",
                says: ["nothing under s3://tract-test/hcp/", "case"]
            ) { $0.put("HCP/README.txt", .text("x")) },
            HopelessMount("a part of a name as the prefix", uri: "s3://tract-test/HC", says: ["nothing under"]) {
                $0.put("HCP/README.txt", .text("x"))
            },
            HopelessMount("a proxy's page", says: ["proxy", "--endpoint-url"]) { $0.script(.any, .damage(.html)) },
            HopelessMount("XML that isn't S3's", says: ["--endpoint-url"]) {
                $0.script(.any, .damage(.xml("<rss><channel/></rss>")))
            },
            HopelessMount("XML that breaks off", says: ["--endpoint-url"]) {
                $0.script(.any, .damage(.xml("<ListBucketResult><Name>tract")))
            },
            HopelessMount("an endpoint that never answers", isTriedInForeground: false, says: ["no answer", "network"])
            {
                $0.script(.any, .linger(.stall))
            },
            HopelessMount(
                "a store that always slows down", isTriedInForeground: false, says: ["SlowDown", "try again"]
            ) {
                $0.script(.any, .refuse(.slowDown))
            },
            HopelessMount("connections that break", isTriedInForeground: false, says: ["connection", "network"]) {
                $0.script(.any, .damage(.reset))
            },
        ])
    func store(_ mount: HopelessMount) throws {
        try withS3TestServer { server in
            mount.script(server)
            try expectFailure(of: mount, moreOptions: ["--endpoint-url", server.endpointURL])
        }
    }

    @Test(
        "A mount without a server fails with the address",
        arguments: [
            HopelessMount(
                "a port that nobody listens on", ["--endpoint-url", "http://127.0.0.1:1"], isTriedInForeground: false,
                says: ["can't connect to http://127.0.0.1:1", "--endpoint-url"]),
            HopelessMount(
                "a host that isn't there", ["--endpoint-url", "http://no-such-host.invalid"],
                isTriedInForeground: false,
                says: ["can't find the address of http://no-such-host.invalid", "--endpoint-url"]),
        ])
    func nobody(_ mount: HopelessMount) throws {
        try expectFailure(of: mount)
    }

    @Test func `A wrong secret, an unknown key and a missing bucket fail a mount on a real server`() throws {
        try withJuiceFSGateway { gateway in
            var environment = environmentWithoutKeys.merging(gateway.environment) { $1 }
            environment["AWS_ACCESS_KEY_ID"] = gateway.accessKeyID
            try expectFailure(
                of: HopelessMount(
                    "", environment: environment, says: ["NoSuchBucket", "check the bucket's name"]))
            environment["AWS_SECRET_ACCESS_KEY"] = TestKeys.secretAccessKey
            try expectFailure(
                of: HopelessMount(
                    "", environment: environment, says: ["SignatureDoesNotMatch", "check the keys", "the environment"]))
            environment["AWS_ACCESS_KEY_ID"] = TestKeys.accessKeyID
            try expectFailure(
                of: HopelessMount(
                    "", environment: environment, says: ["InvalidAccessKeyId", "check the keys", "the environment"]))
        }
    }

    @Test func `An untrusted certificate fails a mount, unless it is in --ca-bundle`() throws {
        try withWebServer { server in
            let options = ["--endpoint-url", "https://127.0.0.1:\(server.port)"]
            try expectFailure(of: HopelessMount("", options, says: ["certificate", "--ca-bundle"]))
            let missing = server.certificatePath + ".missing"
            try expectFailure(
                of: HopelessMount("", options + ["--ca-bundle", missing], says: [missing, "--ca-bundle"]))
            // A trusted server that is not S3.
            try expectFailure(
                of: HopelessMount("", options + ["--ca-bundle", server.certificatePath], says: ["proxy"]))
        }
    }
}

@Suite(mounts) struct MountPointTests {
    @Test(
        "An unusable mount point is refused with the reason",
        arguments: [
            ("missing", ["does not exist", "mkdir -p"]), ("file", ["not a folder", "empty folder"]),
            ("file/below", ["not a folder"]), ("full", ["not empty", "empty folder"]), ("dangling", ["does not exist"]),
            ("loop", ["link"]), ("", ["empty"]), ("with space", ["does not exist", "mkdir -p '"]),
            ("two\nlines", ["does not exist"]),
        ])
    func unusable(name: String, words: [String]) throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                try runChecked("touch", [directory + "/file"])
                try runChecked("mkdir", ["-p", directory + "/full/of"])
                try runChecked("ln", ["-s", "nowhere", directory + "/dangling"])
                try runChecked("ln", ["-s", "loop", directory + "/loop"])
                let mount = HopelessMount("", ["--endpoint-url", server.endpointURL], says: words)
                let mountPoint = name.isEmpty ? "" : "\(directory)/\(name)"
                for way in [[], ["--foreground"]] {
                    try expectFailure(of: mount, at: mountPoint, moreOptions: way)
                }
                #expect(server.log.isEmpty, "no request is sent for an unusable mount point")
            }
        }
    }

    @Test func `A mount point with a mount is refused with the name of the mount, unless that is dead`() throws {
        try withS3TestServer { server in
            let options = ["--endpoint-url", server.endpointURL]
            let uri = "s3://\(server.bucket)/"
            try withMount(uri: uri, options: options, environment: environmentWithKeys) { mountPoint throws in
                try expectFailure(
                    of: HopelessMount("", options, says: [uri, "already", "tractfs unmount \(mountPoint)"]),
                    at: mountPoint)
                try #require(MountProcesses(of: mountPoint)).killBoth()
                try eventually("the end of both processes") { processes(withArgument: mountPoint).isEmpty }
                #expect(isMounted(mountPoint), "the mount is dead")
                try withTemporaryDirectory { directory in
                    try runChecked(
                        tractfsExecutable(),
                        ["mount", uri, mountPoint, "--no-cache", "--log-file", directory + "/log"] + options,
                        environment: environmentWithKeys)
                    #expect(try runChecked("cat", [directory + "/log"]).contains("cleared \(uri) from \(mountPoint)"))
                    #expect(try runChecked("grep", ["-c", " \(mountPoint) ", "/proc/self/mountinfo"]) == "1\n")
                }
            }
        }
    }

    @Test func `Without /dev/fuse a mount fails with the way to get it`() throws {
        try withS3TestServer { server in
            try withTemporaryDirectory { directory in
                // In a mount namespace of its own, /dev has nothing but /dev/null.
                let script = "mount -t tmpfs none /dev && mknod -m 666 /dev/null c 1 3 && exec \"$0\" \"$@\""
                for way in [[], ["--foreground"]] {
                    try expectFailure(
                        of: HopelessMount(
                            "", ["--endpoint-url", server.endpointURL] + way, says: ["no /dev/fuse", "modprobe fuse"]),
                        at: directory, launcher: inMountNamespace(script))
                }
            }
        }
    }
}

@Suite(mounts) struct OtherRegionTests {
    @Test("A bucket in another region is mounted if the store names the region", arguments: [301, 307, 400])
    func discovered(status: Int) throws {
        try withS3TestServer { server in
            server.put("README", .text("found"))
            server.script(.any, .refuse(.otherRegion("eu-central-1", status: status)))
            try withMount(
                uri: "s3://\(server.bucket)", options: ["--endpoint-url", server.endpointURL],
                environment: environmentWithKeys
            ) { mountPoint throws in
                #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
            }
        }
    }
}
