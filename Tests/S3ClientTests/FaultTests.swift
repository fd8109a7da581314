import Logging
import ObjectStore
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// The requests to a store that stalls, throttles or fails at random, counted at the server.
@Suite struct `A store` {
    private let body = ObjectBody.pattern(seed: 5, byteCount: 300_000)

    /// Calls `body` with a server that has one object, and a client whose log is recorded.
    private func withClient(
        connectionLimit: Int = 8, _ test: (S3TestServer, S3Client, ObjectVersion, RecordedLog) throws -> Void
    ) throws {
        try withS3TestServer { server in
            let object = server.put("k", body)
            let log = RecordedLog()
            let client = S3Client(
                configuration: S3Configuration(
                    bucket: server.bucket, endpoint: try S3Endpoint(parsing: server.endpointURL),
                    connectionLimit: connectionLimit, networkThreadCount: 2),
                credentials: nil, logger: log.logger)
            defer { client.shutdown() }
            try test(server, client, object, log)
        }
    }

    /// With one connection there is none for a hedge, so the attempt must be abandoned.
    @Test(arguments: [
        Lingering.stall, .stallAfter(byteCount: 100_000), .drip(afterByteCount: 100_000, bytesPerSecond: 1),
    ])
    func `the rest of a GET that stalls is requested on another connection`(lingering: Lingering) throws {
        try withClient(connectionLimit: 1) { server, client, object, _ in
            server.script(.gets, .linger(lingering), count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: .seconds(60)).get() == body.allBytes)
            let ranges = server.requests(.get).map { $0.request.headers["range"] ?? "" }
            #expect(ranges.count == 2 && ranges.last?.hasSuffix("-299999") == true)
            if case .stall = lingering {} else { #expect(ranges.last != "bytes=0-299999", "no byte is fetched twice") }
        }
    }

    @Test(arguments: [Lingering.stall, .stallAfter(byteCount: 100), .drip(afterByteCount: 100, bytesPerSecond: 1)])
    func `a listing that stalls is requested again`(lingering: Lingering) throws {
        try withClient(connectionLimit: 1) { server, client, object, _ in
            server.script(.lists, .linger(lingering), count: 1)
            let page = try client.page(ListRequest(prefix: "", isDelimited: true), within: .seconds(60)).get()
            #expect(page.items.map(\.key) == [object.key])
            #expect(server.requests(.list).count == 2)
        }
    }

    /// Those with the shorter time end before a connection counts as silent.
    @Test(arguments: [2, 60])
    func `a response without an end is not requested again`(seconds: Int) throws {
        try withClient(connectionLimit: 1) { server, client, object, _ in
            server.script(.gets, .linger(.neverEnd), count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: .seconds(seconds)).get() == body.allBytes)
            #expect(server.requests(.get).count == 1)
            // The only connection is free again.
            try #expect(client.bytes(0..<10, of: object, within: .seconds(60)).get() == body.bytes(in: 0..<10))
        }
    }

    @Test func `a listing on a slow line is waited for`() throws {
        try withClient { server, client, _, _ in
            for index in 0..<1_000 { server.put(Key("\(index)-" + String(repeating: "k", count: 900)), .text("x")) }
            server.setBandwidth(overall: 200_000)
            let page = try client.page(ListRequest(prefix: "", isDelimited: true), within: .seconds(4)).get()
            #expect(page.items.count == 1_000)
        }
    }

    @Test func `requests that share a slow line are waited for`() throws {
        try withClient(connectionLimit: 64) { server, client, object, _ in
            // 2 kB a second for each.
            server.setBandwidth(overall: 64_000)
            let collectors = (0..<32).map { _ in RangeCollector() }
            for collector in collectors {
                client.get(
                    RangeRequest(object: object, range: 0..<16_000), deadline: .now + .seconds(120), receiver: collector
                )
            }
            for collector in collectors { try #expect(collector.outcome().get().count == 16_000) }
        }
    }

    /// Without a common limit, each of 300 requests would be retried by itself about six times within three seconds.
    @Test func `a store that throttles for three seconds gets few requests meanwhile, and then all of them`() throws {
        try withClient(connectionLimit: 64) { server, client, object, log in
            server.script(.gets.lasting(.seconds(3)), .refuse(.slowDown))
            let collectors = (0..<300).map { _ in RangeCollector() }
            for collector in collectors {
                client.get(
                    RangeRequest(object: object, range: 0..<10), deadline: .now + .seconds(120), receiver: collector)
            }
            for collector in collectors { try #expect(collector.outcome().get() == body.bytes(in: 0..<10)) }
            let refusedCount = server.requests(.get).count { $0.status == 503 }
            #expect(0 < refusedCount && refusedCount < 300)
            #expect(log.warnings.count { $0.contains("throttled by S3") } == 1)
        }
    }

    @Test func `a store with Retry-After gets no request for that time`() throws {
        try withClient(connectionLimit: 1) { server, client, object, _ in
            server.script(.gets, .refuse(.slowDownFor(seconds: 2)), count: 1)
            let start = ContinuousClock.now
            try #expect(client.bytes(0..<10, of: object, within: .seconds(60)).get() == body.bytes(in: 0..<10))
            #expect(ContinuousClock.now - start >= .seconds(2))
        }
    }

    @Test func `requests that wait for a connection to a silent store fail at their deadline`() throws {
        try withClient(connectionLimit: 1) { server, client, object, _ in
            server.script(.any, .linger(.stall))
            let collectors = (0..<5).map { _ in RangeCollector() }
            // All have the same deadline: a request that ends earlier would pass on its connection.
            let deadline = RunningClock.now + .seconds(2)
            for collector in collectors {
                client.get(RangeRequest(object: object, range: 0..<10), deadline: deadline, receiver: collector)
            }
            let listing = try client.page(ListRequest(prefix: "", isDelimited: true), within: .seconds(1))
            #expect(listing.failureCode == .timedOut)
            for collector in collectors { try #expect(collector.outcome().failureCode == .timedOut) }
            #expect(server.log.count == 1, "the others never had a connection")
        }
    }

    /// One request in ten fails in one of three ways, and one in twenty stalls in one of two.
    @Test(arguments: 0..<2 as Range<UInt64>)
    func `a store at which one request in seven fails returns the right bytes with few additional requests`(
        seed: UInt64
    ) throws {
        try withClient(connectionLimit: 32) { server, client, object, _ in
            let actions: [(Double, S3Action)] = [
                (0.034, .refuse(.internalError)), (0.034, .refuse(.slowDown)), (0.034, .damage(.reset)),
                (0.025, .linger(.stall)), (0.025, .linger(.stallAfter(byteCount: 100_000))),
            ]
            for (index, (probability, action)) in actions.enumerated() {
                server.script(.any.some(probability, seed: seed * 10 + UInt64(index)), action)
            }
            let count = 400
            let collectors = (0..<count).map { _ in RangeCollector() }
            for collector in collectors {
                client.get(
                    RangeRequest(object: object, range: 0..<300_000), deadline: .now + .seconds(120),
                    receiver: collector)
            }
            for collector in collectors {
                try #expect(collector.outcome().get() == body.allBytes, "seed \(seed)")
            }
            // 15 % are sent again, and 15 % of those; hedges may be 25 %, and those of the initial budget. On a busy
            // machine, on which responses pause for seconds, there are some more.
            #expect(server.requests(.get).count < count * 2, "seed \(seed)")
        }
    }
}
