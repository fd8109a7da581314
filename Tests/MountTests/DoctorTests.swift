import Foundation
import Glibc
import ObjectStore
import SystemSupport
import TestSupport
import Testing

/// A store in some state, and what is to be found of it.
struct Ailment: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var uri = "s3://tract-test/HCP/"
    var options: [String] = []
    var environment: [String: String] = [:]
    /// The check that finds it.
    let check: String
    var status = "failure"
    let words: [String]
    var skipped: [String] = []
    var script: @Sendable (S3TestServer) -> Void = { _ in }

    init(
        _ description: String, of uri: String = "s3://tract-test/HCP/", _ options: [String] = [],
        environment: [String: String] = [:], found check: String, as status: String = "failure", says words: [String],
        skipping skipped: [String] = [], script: @escaping @Sendable (S3TestServer) -> Void = { _ in }
    ) {
        testDescription = description
        self.uri = uri
        self.options = options
        self.environment = environment
        self.check = check
        self.status = status
        self.words = words
        self.skipped = skipped
        self.script = script
    }

    /// What asks for objects.
    static let reading = ["read", "round-trip", "bandwidth"]
    /// What asks the store for anything with credentials.
    static let asking = ["list"] + reading

    /// Examines `endpoint` and expects what is to be found.
    func expectFound(at endpoint: String, moreOptions: [String] = []) throws {
        let diagnosis = try Diagnosis(
            of: uri, ["--no-cache", "--endpoint-url", endpoint] + options + moreOptions,
            environment: environmentWithKeys.merging(environment) { $1 })
        if status == "failure" {
            try diagnosis.expectFailure(of: check, words, skipping: skipped)
        } else {
            try diagnosis.expect(check, status, words)
            for check in skipped { try diagnosis.expect(check, "skipped") }
            #expect(diagnosis.findings.allSatisfy { $0.status != "failure" || $0.check == "fuse" })
        }
    }
}

@Suite("The doctor of a store") struct DoctorTests {
    @Test func `that checks signatures finds all well, with the figures, by listings and reads alone`() throws {
        try withJuiceFSGateway { gateway in
            try withTemporaryDirectory { directory in
                try runChecked("mkdir", ["-p", directory + "/HCP"])
                try runChecked("dd", ["if=/dev/zero", "of=\(directory)/HCP/big", "bs=1M", "count=4", "status=none"])
                try gateway.upload(directory: directory, bucket: "tract-test")
                let diagnosis = try Diagnosis(
                    of: "s3://tract-test/HCP", ["--cache-dir", directory + "/cache"],
                    environment: environmentWithoutKeys.merging(gateway.environment) { $1 })
                for check in ["settings", "credentials", "clock", "name", "connection", "endpoint", "list", "read"] {
                    try diagnosis.expect(check, "ok")
                }
                // How fast it is depends on what else the machine does.
                for check in ["round-trip", "bandwidth"] {
                    #expect(try ["ok", "warning"].contains(diagnosis[check].status))
                }
                try diagnosis.expect("tls", "skipped", ["http, on this machine"])
                try diagnosis.expect("credentials", "ok", ["…test", "from the environment", "a user's own keys"])
                #expect(try diagnosis["credentials"].values["access_key_id_end"] as? String == "test")
                #expect(try diagnosis["list"].values["entries"] as? Int == 1)
                #expect(try (diagnosis["round-trip"].values["milliseconds"] as? Double ?? 0) > 0)
                #expect(try (diagnosis["bandwidth"].values["bytes_per_second"] as? Int ?? 0) > 0)
                #expect(try diagnosis["bandwidth"].values["bytes"] as? Int == 4 << 20)
                #expect(try diagnosis["cache"].values["folder"] as? String == directory + "/cache")
                #expect(!FileManager.default.fileExists(atPath: directory + "/cache"), "nothing is made")
                #expect(!diagnosis.findings.contains { $0.text.contains(gateway.secretAccessKey) })
            }
        }
    }

    @Test func `reads a bounded part of big objects, and asks for nothing but listings and ranges`() throws {
        try withS3TestServer { server in
            server.put("HCP/big", try .random(byteCount: 80 << 20))
            let diagnosis = try Diagnosis(
                of: "s3://\(server.bucket)/HCP/", ["--no-cache", "--endpoint-url", server.endpointURL])
            let read = try #require(try diagnosis["bandwidth"].values["bytes"] as? Int)
            #expect((1...64 << 20).contains(read))
            #expect(server.log.allSatisfy { $0.request.kind == .list || $0.request.kind == .get })
            #expect(server.requests(.list).count <= 4)
            // Some late answers are asked for twice.
            #expect(server.log.reduce(0) { $0 + $1.sentByteCount } <= 70 << 20)
        }
    }

    @Test(
        "names what is wrong:",
        arguments: [
            Ailment(
                "keys of somebody else", found: "list", says: ["InvalidAccessKeyId", "check the keys", "…0001"],
                skipping: Ailment.reading
            ) { $0.script(.any, .refuse(.invalidAccessKeyID)) },
            Ailment(
                "a token that has ended", found: "list", says: ["ExpiredToken", "get new keys"],
                skipping: Ailment.reading
            ) { $0.script(.any, .refuse(.expiredToken)) },
            Ailment(
                "no right to list", found: "list",
                says: ["AccessDenied", "terms of use", "--request-payer", "the environment"], skipping: Ailment.reading
            ) { $0.script(.lists, .refuse(.accessDenied)) },
            Ailment(
                "a bucket that may be another account's", ["--expected-bucket-owner", "123456789012"], found: "list",
                says: ["AccessDenied", "123456789012"]
            ) { $0.script(.lists, .refuse(.accessDenied)) },
            Ailment(
                "the right to list, but not to read", found: "read",
                says: ["can't read s3://tract-test/HCP/big", "AccessDenied"], skipping: ["round-trip", "bandwidth"]
            ) { $0.script(.gets, .refuse(.accessDenied)) },
            Ailment(
                "objects encrypted with somebody's own key", found: "read", says: ["--sse-c-key-file"]
            ) { $0.script(.gets, .refuse(.error(status: 400, code: "InvalidRequest"))) },
            Ailment(
                "a bucket that isn't there", of: "s3://tract-tset/", found: "list", says: ["check the bucket's name"]),
            Ailment(
                "a prefix in the wrong case", of: "s3://tract-test/hcp", found: "list",
                says: ["nothing under", "there is s3://tract-test/HCP/"]),
            Ailment(
                "half of a folder's name", of: "s3://tract-test/HC", found: "list",
                says: ["nothing under", "there is s3://tract-test/HCP/"]),
            Ailment(
                "a file", of: "s3://tract-test/HCP/big", found: "list", says: ["is a file", "s3://tract-test/HCP/"]),
            Ailment(
                "a login page in between", found: "endpoint", says: ["no S3 store", "log in", "proxy"],
                skipping: Ailment.asking + ["clock", "region"]
            ) { $0.script(.any, .damage(.html)) },
            Ailment(
                "a server that says nothing", found: "endpoint", says: ["no answer", "--endpoint-url"],
                skipping: Ailment.asking
            ) { $0.script(.any, .linger(.stall)) },
            Ailment(
                "a connection that breaks", found: "endpoint", says: ["connection broke"], skipping: Ailment.asking
            ) { $0.script(.any, .damage(.reset)) },
        ])
    func failures(_ ailment: Ailment) throws {
        try withS3TestServer { server in
            server.put("HCP/big", .text(String(repeating: "x", count: 100)))
            ailment.script(server)
            try ailment.expectFound(at: server.endpointURL)
        }
    }

    @Test(
        "warns of what works, but not well:",
        arguments: [
            Ailment(
                "another region", found: "region", as: "warning",
                says: ["in eu-central-1, not in us-east-1", "--region eu-central-1"]
            ) { $0.script(.any, .refuse(.otherRegion("eu-central-1", status: 301))) },
            Ailment(
                "a clock an hour ahead", found: "clock", as: "warning",
                says: ["seconds ahead of the store's", "timedatectl", "tractfs corrects that"]
            ) { $0.script(.any, .damage(.header("Date", httpDate(secondsFromNow: -3_600)))) },
            Ailment(
                "a clock two minutes behind", found: "clock", as: "warning",
                says: ["seconds behind the store's", "15 minutes"]
            ) { $0.script(.any, .damage(.header("Date", httpDate(secondsFromNow: 120)))) },
            Ailment(
                "archived objects only", found: "read", as: "warning", says: ["archived", "restore-object"],
                skipping: ["round-trip", "bandwidth"]
            ) {
                $0.delete("HCP/big")
                $0.put("HCP/old", .text("x"), storageClass: "DEEP_ARCHIVE")
            },
            Ailment("an empty bucket", of: "s3://tract-test", found: "list", as: "warning", says: ["empty"]) {
                $0.delete("HCP/big")
            },
            Ailment("a store on another continent", found: "round-trip", as: "warning", says: ["region", "ms"]) {
                $0.script(.gets, .linger(.delay(.milliseconds(250))))
            },
            Ailment(
                "objects too small to measure", found: "bandwidth", as: "skipped", says: ["too small"]),
            Ailment(
                "keys beside a profile", environment: ["AWS_PROFILE": "default"], found: "credentials", as: "warning",
                says: ["AWS_PROFILE is set too", "--profile"]),
            Ailment(
                "a session in the environment", found: "credentials", as: "warning", says: ["can't renew", "profile"]),
            Ailment(
                "nothing to sign with, as was asked for", ["--no-sign-request"], found: "credentials", as: "ok",
                says: ["not signed"]),
        ])
    func warnings(_ ailment: Ailment) throws {
        try withS3TestServer { server in
            server.put("HCP/big", .text(String(repeating: "x", count: 100)))
            ailment.script(server)
            try withTemporaryDirectory { directory in
                let config = directory + "/config"
                try "[default]\nregion = us-east-1\n".write(toFile: config, atomically: true, encoding: .utf8)
                var ailment = ailment
                ailment.environment["AWS_CONFIG_FILE"] = config
                try ailment.expectFound(at: server.endpointURL)
            }
        }
    }

    @Test(
        "says which settings can't be used:",
        arguments: [
            Ailment("another scheme", of: "http://x", found: "settings", says: ["s3://BUCKET"]),
            Ailment("an unknown profile", ["--profile", "nobody"], found: "settings", says: ["nobody"]),
            Ailment("an unknown region", ["--region", "eu west"], found: "settings", says: ["us-east-1"]),
            Ailment("no such file", ["--ca-bundle", "/nonexistent"], found: "settings", says: ["--ca-bundle"]),
            Ailment(
                "no keys", environment: ["AWS_ACCESS_KEY_ID": ""], found: "credentials",
                says: ["no AWS credentials found", "--profile", "--no-sign-request"], skipping: Ailment.asking),
            Ailment(
                "half of the keys", environment: ["AWS_SECRET_ACCESS_KEY": ""], found: "credentials",
                says: ["AWS_SECRET_ACCESS_KEY"], skipping: Ailment.asking),
            Ailment(
                "keys that have ended", environment: ["AWS_CREDENTIAL_EXPIRATION": "2026-01-31T12:00:00Z"],
                found: "credentials", says: ["until 2026-01-31", "have ended"], skipping: Ailment.asking),
        ])
    func settings(_ ailment: Ailment) throws {
        try withS3TestServer { server in
            server.put("HCP/big", .text("x"))
            try ailment.expectFound(at: server.endpointURL)
        }
    }

    @Test(
        "says how far one gets on the way to it:",
        arguments: [
            (
                "http://no-such-host.invalid",
                Ailment(
                    "a name that doesn't exist", found: "name", says: ["no-such-host.invalid", "--endpoint-url"],
                    skipping: ["connection", "tls", "endpoint", "clock", "region"] + Ailment.asking)
            ),
            (
                "http://127.0.0.1:1",
                Ailment(
                    "a port that nobody listens on", found: "connection", says: ["127.0.0.1", "server is running"],
                    skipping: ["endpoint", "clock", "region"] + Ailment.asking)
            ),
            (
                "http://s3.example.org",
                Ailment(
                    "a proxy that isn't there", environment: ["http_proxy": "http://127.0.0.1:1"],
                    found: "connection", says: ["http_proxy", "no_proxy"], skipping: ["endpoint"] + Ailment.asking)
            ),
            (
                "https://s3.example.org",
                Ailment(
                    "a proxy without a name", environment: ["https_proxy": "http://proxy.invalid:3128"],
                    found: "name", says: ["https_proxy", "no_proxy"], skipping: ["connection"] + Ailment.asking)
            ),
        ])
    func way(endpoint: String, _ ailment: Ailment) throws {
        try ailment.expectFound(at: endpoint)
    }

    @Test func `from a container that is a hop too far from the machine's role says how to allow it`() throws {
        let service = try ServiceTestServer { _ in .silence }
        let diagnosis = Result {
            try Diagnosis(
                of: "s3://tract-test", ["--no-cache", "--endpoint-url", "http://127.0.0.1:1"],
                environment: environmentWithoutKeys.merging([
                    "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": service.url,
                ]) { $1 })
        }
        try service.stop()
        try diagnosis.get().expect("credentials", "failure", ["hop limit", "--http-put-response-hop-limit 2"])
    }

    @Test func `that speaks no TLS says at which step that is found out`() throws {
        try withS3TestServer { server in
            let endpoint = "https://127.0.0.1:\(server.port)"
            try Ailment("", found: "tls", says: ["no TLS connection", "speaks https"], skipping: ["endpoint"])
                .expectFound(at: endpoint)
        }
    }

    @Test func `with a certificate that nobody vouches for says so, and that it isn't S3 where somebody does`() throws {
        try withTemporaryDirectory { directory in
            let (key, certificate) = (directory + "/key.pem", directory + "/certificate.pem")
            try runChecked(
                "openssl",
                ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
                    + ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
            let port = try freePort()
            let server = try BackgroundProcess(
                "openssl",
                ["s_server", "-accept", "127.0.0.1:\(port)", "-key", key, "-cert", certificate, "-www", "-quiet"],
                outputDirectory: directory)
            defer { server.end() }
            try eventually("an answer of openssl") {
                try run("bash", ["-c", "exec 3<>/dev/tcp/127.0.0.1/\(port)"]).status == 0
            }
            let endpoint = "https://127.0.0.1:\(port)"
            try Ailment("", found: "tls", says: ["certificate", "--ca-bundle"], skipping: ["endpoint"])
                .expectFound(at: endpoint)
            try Ailment("", found: "endpoint", says: ["no S3 store", "--endpoint-url"], skipping: Ailment.asking)
                .expectFound(at: endpoint, moreOptions: ["--ca-bundle", certificate])
            try Ailment("", found: "endpoint", says: ["--endpoint-url"]).expectFound(at: "http://127.0.0.1:\(port)")
        }
    }
}

/// A time as HTTP gives it (RFC 9110, section 5.6.7).
private func httpDate(secondsFromNow seconds: Int) -> String {
    Timestamp(seconds: Timestamp.now.seconds + seconds).httpDate
}
