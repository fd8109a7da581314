import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// What a client counts, where a server's log doesn't tell.
@Suite struct `A client counts` {
    private func counts(of client: S3Client, _ isRight: (ClientCounts) -> Bool) throws -> ClientCounts {
        try eventually("that the client is at rest") {
            let counts = client.counts
            return counts.activeCount + counts.waitingCount == 0 && isRight(counts)
        }
        return client.counts
    }

    @Test func `bytes and times of what it has got`() throws {
        try withS3TestServer { server in
            let object = server.put("k", .pattern(seed: 1, byteCount: 300_000))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            _ = try client.bytes(0..<300_000, of: object).get()
            let counts = try counts(of: client) { $0.gets.receivedByteCount >= 300_000 }
            #expect(counts.gets.requestCount == 1 && counts.gets.failureCount == 0)
            #expect(counts.gets.latency.count == 1 && counts.lists.requestCount == 0)
            let longest = try #require(counts.gets.latency.percentile(100))
            // Exact to a hundredth.
            #expect(longest >= counts.gets.latency.sum * 0.98 && longest <= counts.gets.latency.sum * 1.02)
        }
    }

    @Test func `as not sent what met no server`() throws {
        try withS3TestServer { server in
            let object = server.put("k", .text("x"))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            try server.refuseConnections()
            #expect(throws: StoreError.self) { try client.bytes(0..<1, of: object, within: .seconds(1)).get() }
            let gets = try counts(of: client) { $0.gets.failureCount == 1 }.gets
            #expect(gets.requestCount == 1 && gets.sentCount == 0 && gets.unsentCount == 1 + gets.retryCount)
            #expect(gets.errorCounts == [.unreachable: gets.unsentCount])
            try server.acceptConnections()
        }
    }

    @Test func `what nobody wanted any more as sent, and as no failure`() throws {
        try withS3TestServer { server in
            let object = server.put("k", .text("x"))
            server.script(.gets, .linger(.stall))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            let request = client.get(
                RangeRequest(object: object, range: 0..<1), deadline: .now + .seconds(60), receiver: RangeCollector())
            try eventually("the request at the server") { !server.log.isEmpty }
            request.cancel()
            let gets = try counts(of: client) { $0.gets.cancelCount == 1 }.gets
            #expect(gets.failureCount == 0 && gets.latency.count == 0)
            #expect(gets.sentCount == server.log.count)
        }
    }
}
