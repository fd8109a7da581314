import Foundation
import ObjectStore
import TestSupport
import Testing

/// tinyproxy, with a user name and a password.
private struct RunningProxy {
    static let user = "proxyuser"
    static let password = "proxySecret77"

    static let isAvailable = FileManager.default.isExecutableFile(atPath: "/usr/bin/tinyproxy")

    let port: Int
    private let directory: String

    /// The URL with user name and password.
    var url: String { "http://\(Self.user):\(Self.password)@127.0.0.1:\(port)" }
    /// The URL without them.
    var anonymousURL: String { "http://127.0.0.1:\(port)" }

    /// The requests so far, as its log has them: "GET http://…", "CONNECT …".
    var requests: [String] {
        get throws {
            try String(contentsOfFile: directory + "/proxy.log", encoding: .utf8).split(separator: "\n").map(
                String.init
            )
            .filter { $0.contains("Request (file descriptor") }
        }
    }

    fileprivate init(port: Int, directory: String) {
        self.port = port
        self.directory = directory
    }
}

/// Starts a proxy, and ends it whatever `body` does.
private func withProxy<Result>(_ body: (RunningProxy) throws -> Result) throws -> Result {
    try withTemporaryDirectory { directory in
        // A port that was free a moment ago.
        let port = try withS3TestServer { $0.port }
        try """
        Port \(port)
        Listen 127.0.0.1
        BasicAuth \(RunningProxy.user) \(RunningProxy.password)
        LogFile "\(directory)/proxy.log"
        LogLevel Connect
        MaxClients 100
        """.write(toFile: directory + "/tinyproxy.conf", atomically: false, encoding: .utf8)
        try "".write(toFile: directory + "/proxy.log", atomically: false, encoding: .utf8)
        let process = try BackgroundProcess(
            "tinyproxy", ["-d", "-c", directory + "/tinyproxy.conf"], outputDirectory: directory)
        defer { process.end() }
        try eventually("a proxy") {
            if !process.isRunning { throw CommandFailure(description: process.output + process.errorOutput) }
            return try run("curl", ["-s", "-o", "/dev/null", "http://127.0.0.1:\(port)/"]).status == 0
        }
        return try body(RunningProxy(port: port, directory: directory))
    }
}

/// The effects of `http_proxy`, `https_proxy` and `no_proxy` on a mount.
@Suite(
    .serialized, mounts,
    .enabled(if: RunningProxy.isAvailable, "needs tinyproxy"))
struct ProxyTests {
    private func fill(_ server: S3TestServer) {
        server.put("README", .text("found"))
        server.put("later", .text("still there"))
        server.put("large", .pattern(seed: 1, byteCount: 16 << 20))
    }

    @Test func `A mount behind a proxy sends its requests through it, also after a takeover`() throws {
        try withS3TestServer { server in
            fill(server)
            try withProxy { proxy in
                try withMount(
                    uri: "s3://\(server.bucket)", options: ["--endpoint-url", server.endpointURL],
                    environment: environmentWithKeys.merging(["http_proxy": proxy.url]) { $1 }
                ) { mountPoint in
                    #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
                    let sum = try runChecked("md5sum", [mountPoint + "/large"])
                    #expect(try proxy.requests.count { $0.contains("GET http://127.0.0.1:\(server.port)/") } >= 2)
                    #expect(server.log.allSatisfy { $0.request.headers["via"] != nil })
                    let former = try #require(MountProcesses(of: mountPoint)).server
                    kill(former, SIGKILL)
                    try eventually("another server") {
                        MountProcesses(of: mountPoint).map { $0.server != former } ?? false
                    }
                    server.clearLog()
                    #expect(try runChecked("cat", [mountPoint + "/later"]) == "still there")
                    #expect(!server.log.isEmpty && server.log.allSatisfy { $0.request.headers["via"] != nil })
                    #expect(try runChecked("md5sum", [mountPoint + "/large"]) == sum)
                }
            }
        }
    }

    @Test func `A mount behind a proxy uses a tunnel for a store with TLS`() throws {
        try withS3TestServer { server in
            fill(server)
            try withTLS(inFrontOf: server) { front in
                try withProxy { proxy in
                    try withMount(
                        uri: "s3://\(server.bucket)",
                        options: ["--endpoint-url", front.endpointURL, "--ca-bundle", front.authorityPath],
                        environment: environmentWithKeys.merging(["HTTPS_PROXY": proxy.url]) { $1 }
                    ) { mountPoint throws in
                        #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
                        #expect(try proxy.requests.contains { $0.contains("CONNECT 127.0.0.1:") })
                    }
                }
            }
        }
    }

    @Test(
        arguments: [
            ["no_proxy": "127.0.0.0/8"], ["NO_PROXY": "example.org,127.0.0.1"], ["no_proxy": "*"],
        ])
    func `A mount behind a proxy connects directly to the hosts of no_proxy`(exceptions: [String: String]) throws {
        try withS3TestServer { server in
            fill(server)
            let environment = environmentWithKeys.merging(["http_proxy": "http://127.0.0.1:1"]) { $1 }
            try withMount(
                uri: "s3://\(server.bucket)", options: ["--endpoint-url", server.endpointURL],
                environment: environment.merging(exceptions) { $1 }
            ) { mountPoint throws in
                #expect(try runChecked("cat", [mountPoint + "/README"]) == "found")
            }
        }
    }

    @Test func `The password of a proxy is shown nowhere, and tractfs doctor reports the proxy`() throws {
        try withS3TestServer { server in
            fill(server)
            try withProxy { proxy in
                try withTemporaryDirectory { directory in
                    let environment = environmentWithKeys.merging(["http_proxy": proxy.url]) { $1 }
                    let place = ["s3://\(server.bucket)", "--endpoint-url", server.endpointURL]
                    var written = ""
                    try withMount(
                        uri: place[0],
                        options: Array(place[1...]) + ["--log-file", directory + "/log", "--log-level", "trace"],
                        environment: environment
                    ) { mountPoint in
                        try runChecked("cat", [mountPoint + "/README"])
                        server.script(.any, .refuse(.error(status: 403, code: "AccessDenied")))
                        written += try run("cat", [mountPoint + "/later"]).errorOutput
                        server.clearScripts()
                        written += try runChecked(tractfsExecutable(), ["status", "--json", mountPoint])
                        written += try runChecked(
                            tractfsExecutable(), ["report", mountPoint, "--output", directory + "/report.html"])
                        written += try String(contentsOfFile: directory + "/report.html", encoding: .utf8)
                    }
                    let doctor = try run(tractfsExecutable(), ["doctor"] + place, environment: environment)
                    #expect(doctor.output.contains("through the proxy http://127.0.0.1:\(proxy.port)"), "\(doctor)")
                    // A proxy that has ended, and the words of the command and the log.
                    let gone = "http://\(RunningProxy.user):\(RunningProxy.password)@127.0.0.1:1"
                    let failed = try run(
                        tractfsExecutable(), ["mount"] + [place[0], directory + "/mount"] + place[1...],
                        environment: environmentWithKeys.merging(["http_proxy": gone]) { $1 })
                    written += doctor.output + doctor.errorOutput + failed.output + failed.errorOutput
                    written += try String(contentsOfFile: directory + "/log", encoding: .utf8)
                    #expect(!written.contains(RunningProxy.password) && !written.contains(RunningProxy.user))
                }
            }
        }
    }

    @Test func `A mount behind a proxy that requires a password fails with the remedy`() throws {
        try withS3TestServer { server in
            fill(server)
            try withTLS(inFrontOf: server) { front in
                try withProxy { proxy in
                    for (url, more, variable) in [
                        (server.endpointURL, [], "http_proxy"),
                        (front.endpointURL, ["--ca-bundle", front.authorityPath], "https_proxy"),
                    ] {
                        try withTemporaryDirectory { directory in
                            let result = try run(
                                tractfsExecutable(),
                                ["mount", "s3://\(server.bucket)", directory, "--endpoint-url", url, "--no-cache"]
                                    + more,
                                environment: environmentWithKeys.merging([variable: proxy.anonymousURL]) { $1 })
                            #expect(result.status == 1 && result.errorOutput.contains("HTTP 407"), "\(result)")
                            #expect(result.errorOutput.contains("http://USER:PASSWORD@HOST:PORT"))
                        }
                    }
                }
            }
        }
    }

    @Test func `A mount fails with the name of a proxy that is unreachable or no proxy`() throws {
        try withTemporaryDirectory { directory in
            for (value, words) in [
                ("http://127.0.0.1:1", ["can't connect to", "through the proxy http://127.0.0.1:1"]),
                ("ftp://proxy", ["http_proxy is not the URL of a proxy"]),
            ] {
                let result = try run(
                    tractfsExecutable(),
                    ["mount", "s3://bucket", directory, "--endpoint-url", "http://store.invalid", "--no-cache"],
                    environment: environmentWithKeys.merging(["http_proxy": value]) { $1 })
                #expect(result.status != 0)
                for word in words { #expect(result.errorOutput.contains(word), "\(result)") }
            }
        }
    }
}
