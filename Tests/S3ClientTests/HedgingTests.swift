import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// Hedges of late requests, counted at the server.
@Suite struct `A late response` {
    private let body = ObjectBody.pattern(seed: 3, byteCount: 300_000)
    /// Less than the five seconds after which a silent connection is abandoned: a response within this time is that of
    /// the hedge.
    private let soon = Duration.seconds(4)
    /// The GETs that fill the estimate, and the budget with it.
    private let warmUpCount = HedgeBudget.requestCountMax
    /// The number of hedges that are available without requests before them.
    private let savedHedgeCount = HedgeBudget.requestCountMax / HedgeBudget.requestCountPerHedge

    /// Calls `body` with a server that has one object, and a client with one thread that knows the server's latency.
    /// The log is empty.
    private func withWarmClient(
        connectionLimit: Int = 8, _ test: (S3TestServer, S3Client, ObjectVersion) throws -> Void
    ) throws {
        try withS3TestServer { server in
            let object = server.put("k", body)
            let client = try S3Client.of(
                server.endpointURL, bucket: server.bucket, connectionLimit: connectionLimit, networkThreadCount: 1)
            defer { client.shutdown() }
            // On a busy machine some of these are late themselves, and use up the budget of the test.
            var savedCount = 0
            try eventually("\(warmUpCount) answers, and a budget that is full") {
                server.clearLog()
                for _ in 0..<8 { _ = try client.bytes(0..<10, of: object).get() }
                let hedgeCount = server.requests(.get).count - 8
                savedCount = min(savedCount + 8, warmUpCount) - hedgeCount * HedgeBudget.requestCountPerLateHedge
                return savedCount == warmUpCount
            }
            server.clearLog()
            try test(server, client, object)
        }
    }

    private func get(_ client: S3Client, _ object: ObjectVersion) -> (collector: RangeCollector, any StoreRequest) {
        let collector = RangeCollector()
        let request = client.get(
            RangeRequest(object: object, range: 0..<object.byteCount), deadline: .now + .seconds(60),
            receiver: collector)
        return (collector, request)
    }

    /// Gets the object `count` times, `parallelCount` at once, and checks the bytes.
    private func getMany(
        _ count: Int, parallelCount: Int, _ client: S3Client, _ object: ObjectVersion, byteCount: Int
    ) throws {
        let expected = body.bytes(in: 0..<byteCount)
        var running: [RangeCollector] = []
        for _ in 0..<count {
            try eventually("the end of a request") {
                running.removeAll { $0.endCount > 0 }
                return running.count < parallelCount
            }
            let collector = RangeCollector()
            client.get(
                RangeRequest(object: object, range: 0..<byteCount), deadline: .now + .seconds(60),
                receiver: CheckingReceiver(collector, expected: expected))
            running.append(collector)
        }
        for collector in running { _ = try collector.outcome().get() }
    }

    /// The GETs of which one is slow.
    private func oneGet(in divisor: Int) -> S3Matcher {
        let count = Mutex(0)
        return S3Matcher { request in
            guard request.kind == .get else { return false }
            return count.withLock { count in
                count += 1
                return count % divisor == 0
            }
        }
    }

    @Test func `a late response is overtaken by a hedge`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stall), count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            // A third attempt if the second one is late too, on a busy machine.
            #expect((2...3).contains(server.requests(.get).count))
        }
    }

    @Test func `a response that stalls in its body is hedged from there`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stallAfter(byteCount: 100_000)), count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            let ranges = server.requests(.get).map { $0.request.headers["range"] }
            #expect(ranges.first == "bytes=0-299999" && ranges.count > 1)
            #expect(ranges.dropFirst().allSatisfy { $0 == "bytes=100000-299999" })
        }
    }

    @Test func `a response is requested a third time if the hedge stalls too`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stall), count: 1)
            server.script(.gets, .linger(.stallAfter(byteCount: 1_000)), count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            #expect(
                server.requests(.get).prefix(3).map(\.request.headers["range"])
                    == ["bytes=0-299999", "bytes=0-299999", "bytes=1000-299999"])
        }
    }

    @Test func `a hedge that breaks off after a few bytes is replaced`() throws {
        try withWarmClient { server, client, object in
            for _ in 0..<3 {
                server.clearScripts()
                server.script(.gets, .linger(.stall), count: 1)
                server.script(.gets, .damage(.closeAfter(byteCount: 1_000)), count: 1)
                try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            }
        }
    }

    @Test func `a late response continues if its hedge fails`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.delay(.milliseconds(400))), count: 1)
            server.script(.gets, .refuse(.slowDown))
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            let statuses = server.requests(.get).map(\.status)
            #expect(statuses.first == 206 && statuses.contains(503))
        }
    }

    @Test func `a hedge that finds another version ends the request`() throws {
        var other = StoreContents()
        other.put("k", .text("new"))
        for action in [S3Action.mutate(.answerFrom(other)), .damage(.etag("\"other\""))] {
            try withWarmClient { server, client, object in
                server.script(.gets, .linger(.stall), count: 1)
                server.script(.gets, action)
                try #expect(client.bytes(0..<10, of: object, within: soon).failureCode == .changed)
                #expect(server.requests(.get).count >= 2)
            }
        }
    }

    @Test func `a request ends once if it is canceled during its hedge`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stall))
            let (collector, request) = get(client, object)
            try eventually("a second request") { server.requests(.get).count >= 2 }
            request.cancel()
            try #expect(collector.outcome().failureCode == .cancelled)
            server.clearScripts()
            // All connections are free again.
            try getMany(32, parallelCount: 8, client, object, byteCount: 10)
            #expect(collector.endCount == 1 && collector.bytes.isEmpty)
        }
    }

    @Test func `a request ends once if the client is shut down during its hedge`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stall))
            let (collector, _) = get(client, object)
            try eventually("a second request") { server.requests(.get).count >= 2 }
            client.shutdown()
            try #expect(collector.outcome().failureCode == .cancelled)
            #expect(collector.endCount == 1)
        }
    }

    /// While no attempt receives bytes, the older of two is sometimes replaced by a third, within the budget.
    @Test func `a request fails at its deadline during its hedges`() throws {
        try withWarmClient { server, client, object in
            server.script(.gets, .linger(.stall))
            let outcome = try client.bytes(0..<10, of: object, within: .seconds(2))
            #expect(outcome.failureCode == .timedOut)
            #expect((2...1 + savedHedgeCount).contains(server.requests(.get).count))
        }
    }

    @Test func `a late response is not hedged without a free connection`() throws {
        try withWarmClient(connectionLimit: 1) { server, client, object in
            server.script(.gets, .linger(.stall))
            try #expect(client.bytes(0..<10, of: object, within: .seconds(1)).failureCode == .timedOut)
            #expect(server.requests(.get).count == 1)
        }
    }

    @Test func `hedges cost at most 25 % more requests if one response in ten is slow`() throws {
        try withWarmClient(connectionLimit: 64) { server, client, object in
            let count = 2_000
            // Some are just slow enough to count as late: both attempts receive bytes at once.
            for milliseconds in [20, 50, 100, 150, 200, 300, 400, 500] {
                server.script(oneGet(in: 80), .linger(.delay(.milliseconds(milliseconds))), count: count / 80)
            }
            try getMany(count, parallelCount: 32, client, object, byteCount: 4_096)
            let extraCount = server.requests(.get).count - count
            #expect(0 < extraCount)
            #expect(extraCount <= count / HedgeBudget.requestCountPerHedge + savedHedgeCount)
        }
    }

    @Test func `hedges are rare if all responses are equally fast`() throws {
        try withS3TestServer { server in
            // Twice the time, which a busy machine does not exceed.
            server.setLatency(.milliseconds(250))
            let object = server.put("k", body)
            let client = try S3Client.of(
                server.endpointURL, bucket: server.bucket, connectionLimit: 128, networkThreadCount: 1)
            defer { client.shutdown() }
            let count = 640
            try getMany(count, parallelCount: 64, client, object, byteCount: 10)
            #expect(server.requests(.get).count - count < count / 100)
        }
    }

    /// At this rate the object takes longer than `soon`.
    private let crawl = S3Action.linger(.drip(afterByteCount: 0, bytesPerSecond: 64_000))

    /// Gets the object without limits, so that its rate is known.
    private func getFast(_ client: S3Client, _ object: ObjectVersion) throws {
        for _ in 0..<3 { _ = try client.bytes(0..<object.byteCount, of: object).get() }
    }

    @Test func `the rest of a response that crawls is requested on another connection`() throws {
        try withWarmClient { server, client, object in
            try getFast(client, object)
            server.clearLog()
            server.script(.gets, crawl, count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            let ranges = server.requests(.get).map { $0.request.headers["range"] ?? "" }
            #expect(ranges.first == "bytes=0-299999" && (2...4).contains(ranges.count))
            #expect(ranges.last?.hasSuffix("-299999") == true && ranges.last != "bytes=0-299999", "what came is kept")
        }
    }

    @Test func `a response is requested a third time if the hedge crawls too`() throws {
        try withWarmClient { server, client, object in
            try getFast(client, object)
            server.clearLog()
            server.script(.gets, crawl, count: 2)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            #expect((3...5).contains(server.requests(.get).count))
        }
    }

    @Test func `a response that crawls is hedged also while the store throttles, after a second`() throws {
        try withWarmClient { server, client, object in
            try getFast(client, object)
            // As many refusals at once lower the limit, and the responses after them raise it by one or two.
            server.script(.gets, .refuse(.slowDown), count: 8)
            try getMany(8, parallelCount: 8, client, object, byteCount: 10)
            server.clearLog()
            server.script(.gets, crawl, count: 1)
            try #expect(client.bytes(0..<300_000, of: object, within: soon).get() == body.allBytes)
            #expect((2...3).contains(server.requests(.get).count))
        }
    }

    @Test func `a response that crawls continues if its hedge fails`() throws {
        try withWarmClient { server, client, object in
            try getFast(client, object)
            server.clearLog()
            server.script(.gets, crawl, count: 1)
            server.script(.gets, .refuse(.internalError))
            try #expect(client.bytes(0..<300_000, of: object).get() == body.allBytes)
            #expect(server.requests(.get).contains { $0.status == 500 })
            #expect(server.requests(.get).first?.sentByteCount == 300_000)
        }
    }

    @Test func `hedges cost at most 25 % more requests if one response in ten crawls`() throws {
        try withWarmClient(connectionLimit: 32) { server, client, object in
            server.script(oneGet(in: 10), crawl)
            let count = 200
            try getMany(count, parallelCount: 16, client, object, byteCount: object.byteCount)
            let log = server.requests(.get)
            #expect(log.count - count <= count / HedgeBudget.requestCountPerHedge + savedHedgeCount)
            let crawlers = log.enumerated().filter { $0.offset % 10 == 9 }.map(\.element.sentByteCount)
            #expect(crawlers.reduce(0, +) < crawlers.count * object.byteCount / 2, "most were broken off")
        }
    }

    /// Long enough that no pause of a busy machine counts as silence.
    @Test func `responses are not hedged if the line is slow for all`() throws {
        try withWarmClient(connectionLimit: 32) { server, client, object in
            server.setLatency(.milliseconds(250))
            for _ in 0..<LatencyEstimate.sampleLimit / 32 {
                try getMany(32, parallelCount: 32, client, object, byteCount: 10)
            }
            server.clearLog()
            server.setBandwidth(perConnection: 64_000)
            let count = 48
            try getMany(count, parallelCount: 16, client, object, byteCount: 100_000)
            #expect(server.requests(.get).count == count)
        }
    }

    @Test func `a listing that crawls is hedged`() throws {
        try withWarmClient { server, client, _ in
            for index in 0..<1_000 { server.put(Key("\(index)-" + String(repeating: "k", count: 300)), .text("x")) }
            let list = ListRequest(prefix: "", isDelimited: true)
            for _ in 0..<LatencyEstimate.sampleMinimum { _ = try client.page(list).get() }
            server.clearLog()
            server.script(.lists, crawl, count: 1)
            try #expect(client.page(list, within: soon).get().items.count == 1_000)
            #expect((2...4).contains(server.requests(.list).count))
        }
    }

    @Test(arguments: [Lingering.stall, .stallAfter(byteCount: 100)])
    func `a late listing is hedged`(lingering: Lingering) throws {
        try withWarmClient { server, client, object in
            server.script(.lists, .linger(lingering), count: 1)
            let page = try client.page(ListRequest(prefix: "", isDelimited: true), within: soon).get()
            #expect(page.items.map(\.key) == [object.key])
            #expect((2...3).contains(server.requests(.list).count))
        }
    }
}

/// Checks the bytes of a range that ends successfully.
private final class CheckingReceiver: RangeReceiver {
    private let collector: RangeCollector
    private let expected: [UInt8]

    init(_ collector: RangeCollector, expected: [UInt8]) {
        self.collector = collector
        self.expected = expected
    }

    func receive(_ bytes: RawSpan, at offset: Int) {
        collector.receive(bytes, at: offset)
    }

    func finish(_ result: Result<Void, StoreError>) {
        #expect(collector.bytes == expected)
        collector.finish(result)
    }
}
