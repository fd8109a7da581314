import ObjectStore
import TestSupport
import Testing

/// The faults of the test server, as curl sees them.
@Suite struct MisbehaviourTests {
    /// Runs curl on the object "a"; the status of the answer is appended to its output.
    private func curl(_ server: S3TestServer, _ options: String..., limit: String = "20") throws -> CommandResult {
        try run(
            "curl", ["-s", "-m", limit, "-w", " %{http_code}"] + options + [server.endpointURL + "/tract-test/a"])
    }

    /// A server whose object "a" is "hello".
    private func withHello(_ body: (S3TestServer) throws -> Void) throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            try body(server)
        }
    }

    @Test func `The test server resets a connection in the middle of a body`() throws {
        try withHello { server in
            server.script(.gets, .damage(.resetAfter(byteCount: 2)))
            // curl(1): 56, failure in receiving.
            let result = try curl(server)
            #expect(result.status == 56)
        }
    }

    @Test func `The test server sends more than was requested, announced or not`() throws {
        try withHello { server in
            server.script(.gets, .damage(.lengthen(byteCount: 3)), count: 1)
            server.script(.gets, .damage(.overrun(byteCount: 3)))
            let result = try curl(server, "-r", "0-2")
            #expect(result.output == "hel??? 206")
            let announced = try curl(server, "-i", "--ignore-content-length", limit: "1")
            #expect(announced.output.contains("Content-Length: 5"))
            #expect(announced.output.contains("hello???"))
        }
    }

    @Test func `The test server sends one byte a second after the first bytes`() throws {
        try withHello { server in
            server.script(.gets, .linger(.drip(afterByteCount: 3, bytesPerSecond: 1)))
            let result = try curl(server, "-N", limit: "0.5")
            // curl(1): 28, operation timeout.
            #expect(result.status == 28)
            #expect(result.output.hasPrefix("hel") && !result.output.hasPrefix("hello"))
        }
    }

    @Test func `The test server sends no faster than its bandwidth, over all connections and over each`() throws {
        try withS3TestServer { server in
            server.put("a", .pattern(seed: 1, byteCount: 100_000))
            let start = ContinuousClock.now
            server.setBandwidth(overall: 200_000)
            try inParallel(2) { _ in
                let result = try curl(server, "-o", "/dev/null")
                #expect(result.status == 0)
            }
            #expect(ContinuousClock.now - start > .milliseconds(900))
            server.setBandwidth(perConnection: 200_000)
            let second = ContinuousClock.now
            let result = try curl(server, "-o", "/dev/null")
            #expect(result.status == 0)
            #expect(ContinuousClock.now - second > .milliseconds(450))
        }
    }

    @Test(arguments: [
        Latency.constant(.milliseconds(3)), .uniform(.milliseconds(1)...(.milliseconds(9))),
        .logNormal(median: .milliseconds(3), sigma: 1),
    ])
    func `The test server delays answers by a distribution and a seed`(latency: Latency) throws {
        try withHello { server in
            server.setLatency(latency, seed: 5)
            let start = ContinuousClock.now
            for _ in 0..<3 {
                let result = try curl(server)
                #expect(result.output == "hello 200")
            }
            #expect(ContinuousClock.now - start > .milliseconds(3))
        }
    }

    @Test func `The test server fails requests at random, the same ones for the same seed`() throws {
        func statuses() throws -> [Substring] {
            try withS3TestServer { server in
                server.put("a", .text("hello"))
                server.script(.gets.some(0.4, seed: 11), .refuse(.tooManyRequests))
                return try (0..<12).map { _ in try curl(server).output.suffix(3) }
            }
        }
        let first = try statuses()
        #expect(Set(first) == ["200", "429"])
        let second = try statuses()
        #expect(second == first)
    }

    @Test func `The test server fails requests for a while`() throws {
        try withHello { server in
            server.script(.gets.lasting(.seconds(2)), .refuse(.slowDown))
            let result = try curl(server)
            #expect(result.output.hasSuffix("503"))
            try eventually("the end of the burst") { try curl(server).output == "hello 200" }
        }
    }

    @Test func `The test server refuses connections, and accepts them again on the same port`() throws {
        try withHello { server in
            try server.refuseConnections()
            // curl(1): 7, failed to connect.
            let result = try curl(server)
            #expect(result.status == 7)
            try server.acceptConnections()
            let again = try curl(server)
            #expect(again.output == "hello 200")
        }
    }

    @Test(arguments: [nil, "eu-west-1"] as [String?])
    func `The test server redirects to another address`(region: String?) throws {
        try withHello { server in
            let target = "http://127.0.0.1:1/elsewhere"
            server.script(.gets, .refuse(.redirect(status: 307, location: target, region: region)))
            let result = try curl(server, "-i")
            #expect(result.output.contains("HTTP/1.1 307") && result.output.contains("Location: \(target)"))
            #expect(result.output.contains("x-amz-bucket-region") == (region != nil))
        }
    }

    @Test func `The test server answers with a page of HTML and any status`() throws {
        try withHello { server in
            server.script(.gets, .refuse(.html(status: 502)))
            let result = try curl(server)
            #expect(result.output.contains("<html>") && result.output.hasSuffix(" 502"))
        }
    }

    @Test(arguments: Attack.allCases)
    func `The test server floods a client until that stops it`(attack: Attack) throws {
        try withHello { server in
            server.script(.gets, .attack(attack))
            _ = try curl(server, "-o", "/dev/null", limit: "1")
            // More than a socket's buffers take: curl stops some of them early.
            #expect(try #require(server.log.first).sentByteCount > 65_536)
        }
    }

    @Test func `The test server shows TLS certificates that are valid or invalid`() throws {
        try withHello { server in
            try withTLS(inFrontOf: server) { front in
                for certificate in TLSFront.Certificate.allCases {
                    try front.show(certificate)
                    let url = front.endpointURL + "/tract-test/a"
                    let result = try run("curl", ["-s", "-m", "20", "--cacert", front.authorityPath, url])
                    // curl(1): 60, the certificate is not trusted.
                    #expect(result.status == (certificate == .trusted ? 0 : 60), "\(certificate)")
                }
            }
        }
    }
}
