import ObjectStore
import TestSupport
import Testing

/// The server as curl sees it, an independent HTTP client.
@Suite struct S3TestServerTests {
    /// Runs curl on a path of the server's; the status of the answer is appended to its output.
    private func curl(_ server: S3TestServer, _ path: String, _ options: String...) throws -> CommandResult {
        try run(
            "curl", ["-s", "-m", "20", "-w", " %{http_code}"] + options + [server.endpointURL + path])
    }

    @Test func `A range is answered with its bytes, and logged`() throws {
        try withS3TestServer { server in
            server.put("a b+c", .text("hello world"))
            let result = try curl(server, "/tract-test/a%20b+c", "-r", "6-10")
            #expect(result.output == "world 206")
            let entry = try #require(server.log.first)
            #expect(entry.request.kind == .get)
            #expect(entry.request.key == "a b+c")
            #expect(entry.status == 206)
            #expect(entry.sentByteCount == 5)
        }
    }

    @Test func `A bucket is found by the name of the host too`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            let result = try curl(server, "/a", "-H", "Host: tract-test.s3.us-east-1.amazonaws.com")
            #expect(result.output == "hello 200")
        }
    }

    @Test(arguments: [
        ("/tract-test/none", "NoSuchKey", "404"), ("/other/a", "NoSuchBucket", "404"),
        ("/tract-test/empty", "InvalidRange", "416"),
    ])
    func `A request that cannot be answered gets S3's error document`(path: String, code: String, status: String) throws
    {
        try withS3TestServer { server in
            server.put("empty", .text(""))
            let result = try curl(server, path, "-r", "0-1")
            #expect(result.output.contains("<Code>\(code)</Code>"))
            #expect(result.output.hasSuffix(" " + status))
        }
    }

    @Test func `If-Match refuses another version`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            let result = try curl(server, "/tract-test/a", "-H", "If-Match: \"other\"")
            #expect(result.output.hasSuffix(" 412"))
        }
    }

    @Test func `A body of 5 GiB needs no memory, and its end is right`() throws {
        try withS3TestServer { server in
            let body = ObjectBody.pattern(seed: 7, byteCount: 5 << 30)
            server.put("big", body)
            try withTemporaryDirectory { directory in
                let result = try curl(server, "/tract-test/big", "-r", "5368709000-", "-o", directory + "/end")
                let bytes = try runChecked("od", ["-An", "-v", "-tu1", directory + "/end"])
                #expect(result.output == " 206")
                #expect(
                    bytes.split(whereSeparator: \.isWhitespace).compactMap { UInt8($0) }
                        == body.bytes(in: 5_368_709_000..<body.byteCount))
            }
        }
    }

    @Test func `An action applies as often as the script says`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            server.script(.get("a"), .refuse(.slowDown), skipping: 1, count: 2)
            let statuses = try (0..<4).map { _ in String(try curl(server, "/tract-test/a").output.suffix(3)) }
            #expect(statuses == ["200", "503", "503", "200"])
        }
    }

    @Test func `A body that is cut off is not the whole body`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            server.script(.gets, .damage(.closeAfter(byteCount: 2)))
            let result = try curl(server, "/tract-test/a")
            // curl(1): 18, partial file.
            #expect(result.status == 18)
            #expect(result.output.hasPrefix("he"))
        }
    }

    @Test(arguments: [(Damage.reset, Int32(56)), (.close, 52)])
    func `A connection that ends without an answer is reset or closed`(damage: Damage, status: Int32) throws {
        try withS3TestServer { server in
            server.script(.any, .damage(damage))
            // curl(1): 52, the server replied nothing; 56, failure in receiving.
            let result = try curl(server, "/tract-test/a")
            #expect(result.status == status)
        }
    }

    @Test func `A stalled answer never ends`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            server.script(.gets, .linger(.stallAfter(byteCount: 3)))
            let result = try curl(server, "/tract-test/a", "-m", "1")
            // curl(1): 28, operation timeout.
            #expect(result.status == 28)
            #expect(result.output.hasPrefix("hel"))
        }
    }

    @Test func `An object overwritten in mid-read continues with its old bytes, then has new ones`() throws {
        try withS3TestServer { server in
            server.put("a", .text("old old old"))
            server.script(.gets, .mutate(.overwriteAfter(byteCount: 4, body: .text("new"))), count: 1)
            let outputs = try (0..<2).map { _ in try curl(server, "/tract-test/a").output }
            #expect(outputs == ["old old old 200", "new 200"])
        }
    }

    @Test func `A bucket of another region answers requests signed for that region`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            server.script(.any, .refuse(.otherRegion("eu-west-1", status: 301)))
            func signed(_ region: String) -> String {
                "Authorization: AWS4-HMAC-SHA256 Credential=ID/20260101/\(region)/s3/aws4_request, SignedHeaders=host"
            }
            let wrong = try curl(server, "/tract-test/a", "-H", signed("us-east-1"))
            let right = try curl(server, "/tract-test/a", "-H", signed("eu-west-1"))
            #expect(wrong.output.hasSuffix(" 301"))
            #expect(right.output == "hello 200")
        }
    }

    @Test func `A request that is not signed with the required key id is refused`() throws {
        try withS3TestServer { server in
            server.put("a", .text("hello"))
            server.require(accessKeyID: "ID")
            let other = "Authorization: AWS4-HMAC-SHA256 Credential=OTHER/20260101/us-east-1/s3/aws4_request"
            let unsigned = try curl(server, "/tract-test/a")
            let signed = try curl(server, "/tract-test/a", "-H", other)
            #expect(unsigned.output.contains("<Code>AccessDenied</Code>"))
            #expect(signed.output.contains("<Code>InvalidAccessKeyId</Code>"))
        }
    }
}
