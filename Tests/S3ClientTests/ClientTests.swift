import Logging
import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// Holds a listing's outcome until the test asks for it.
private final class PageHolder: Sendable {
    private let outcomes = Mutex<[Result<ListPage, StoreError>]>([])

    func take(_ outcome: Result<ListPage, StoreError>) {
        outcomes.withLock { $0.append(outcome) }
    }

    func outcome() throws -> Result<ListPage, StoreError> {
        try eventually("the end of a listing") { outcomes.withLock { !$0.isEmpty } }
        return outcomes.withLock { $0[0] }
    }
}

extension S3Client {
    /// A client of a server on this machine.
    static func of(
        _ endpointURL: String, bucket: String, id: String = "AKIATEST", secret: String = "secret",
        connectionLimit: Int = 8, networkThreadCount: Int = 2
    ) throws -> S3Client {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return S3Client(
            configuration: S3Configuration(
                bucket: bucket, endpoint: try S3Endpoint(parsing: endpointURL), connectionLimit: connectionLimit,
                networkThreadCount: networkThreadCount),
            credentials: Credentials(accessKeyID: id, secretAccessKey: secret), logger: logger)
    }

    /// Lists and waits for the outcome.
    func page(_ request: ListRequest, within limit: Duration = .seconds(20)) throws -> Result<ListPage, StoreError> {
        let holder = PageHolder()
        list(request, deadline: .now + limit) { holder.take($0) }
        return try holder.outcome()
    }

    /// Asks for an object's description and waits for it.
    func description(of key: Key) throws -> Result<ListedObject?, StoreError> {
        let outcome = Mutex<Result<ListedObject?, StoreError>?>(nil)
        head(key, deadline: .now + .seconds(20)) { result in outcome.withLock { $0 = result } }
        try eventually("the end of a HEAD") { outcome.withLock { $0 != nil } }
        return try #require(outcome.withLock { $0 })
    }

    /// Gets a range and waits for the outcome.
    func bytes(
        _ range: Range<Int>, of object: ObjectVersion, within limit: Duration = .seconds(20)
    ) throws -> Result<[UInt8], StoreError> {
        let collector = RangeCollector(firstOffset: range.lowerBound)
        get(RangeRequest(object: object, range: range), deadline: .now + limit, receiver: collector)
        return try collector.outcome()
    }
}

extension Result where Failure == StoreError {
    /// The kind of failure.
    var failureCode: StoreError.Code? {
        guard case .failure(let error) = self else { return nil }
        return error.code
    }
}

@Suite struct `The client` {
    private let body = ObjectBody.pattern(seed: 1, byteCount: 2_000_000)

    /// A server with one object, and a client of it.
    private func withObject(
        _ test: (S3TestServer, S3Client, ObjectVersion) throws -> Void
    ) throws {
        try withS3TestServer { server in
            let object = server.put("k", body)
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            try test(server, client, object)
        }
    }

    @Test func `lists page after page`() throws {
        try withS3TestServer(pageLimit: 3) { server in
            let keys = (0..<8).map { Key("d/\($0) +%é") }
            for key in keys { server.put(key, .text("x")) }
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            var request = ListRequest(prefix: "d/", isDelimited: true)
            var found: [Key] = []
            repeat {
                let page = try client.page(request).get()
                found += page.items.map(\.key)
                request.continuation = page.next
            } while request.continuation != nil
            #expect(found == keys)
            #expect(server.requests(.list).count == 3)
        }
    }

    @Test func `describes an object as a listing does, and reads it on the same connection`() throws {
        try withS3TestServer { server in
            let object = server.put("d/k +%é", body)
            let client = try S3Client.of(
                server.endpointURL, bucket: server.bucket, connectionLimit: 1, networkThreadCount: 1)
            defer { client.shutdown() }
            for _ in 0..<2 {
                let described = try client.description(of: "d/k +%é").get()
                let listed = try client.page(ListRequest(prefix: "d/", isDelimited: true)).get().items
                #expect(listed == [.object(try #require(described))])
                try #expect(client.bytes(0..<10, of: object).get() == body.bytes(in: 0..<10))
                try #expect(client.description(of: "d/k").get() == nil)
            }
            #expect(server.log.count { $0.request.kind == .head } == 4)
        }
    }

    @Test func `tells a refused description from a missing object, and tries again where that may help`() throws {
        try withObject { server, client, _ in
            server.script(.any, .refuse(.accessDenied), count: 1)
            try #expect(client.description(of: "k").failureCode == .accessDenied)
            server.script(.any, .refuse(.slowDown), count: 1)
            try #expect(client.description(of: "k").get()?.version.byteCount == body.byteCount)
        }
    }

    @Test(arguments: [0..<1, 5..<10, 1_999_999..<2_000_000, 0..<2_000_000])
    func `gets exactly the range`(range: Range<Int>) throws {
        try withObject { server, client, object in
            try #expect(client.bytes(range, of: object).get() == body.bytes(in: range))
            #expect(server.requests(.get).count == 1)
        }
    }

    @Test func `lets what somebody waits for go before what is ahead`() throws {
        try withS3TestServer { server in
            let object = server.put("k", body)
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket, connectionLimit: 1)
            defer { client.shutdown() }
            server.script(.gets, .linger(.stallAfter(byteCount: 1)), count: 1)
            let first = RangeCollector()
            let blocking = client.get(
                RangeRequest(object: object, range: 0..<2_000_000), deadline: .now + .seconds(60), receiver: first)
            try eventually("the first byte") { !first.bytes.isEmpty }
            let starts = [10, 20, 30, 40]
            let collectors = starts.map { RangeCollector(firstOffset: $0) }
            for (start, collector) in zip(starts, collectors) {
                client.get(
                    RangeRequest(object: object, range: start..<start + 10, isPrefetch: start < 30),
                    deadline: .now + .seconds(60), receiver: collector)
            }
            blocking.cancel()
            for collector in collectors { _ = try collector.outcome().get() }
            let ranges = server.requests(.get).dropFirst().map { $0.request.headers["range"] }
            #expect(ranges == ["bytes=30-39", "bytes=40-49", "bytes=10-19", "bytes=20-29"])
        }
    }

    @Test(arguments: [
        S3Action.damage(.closeAfter(byteCount: 700_000)), .damage(.close), .damage(.reset), .refuse(.slowDown),
        .refuse(.internalError),
    ])
    func `repeats what fails now and then, and asks for no byte twice`(action: S3Action) throws {
        try withObject { server, client, object in
            server.script(.gets, action, count: 2)
            try #expect(client.bytes(0..<2_000_000, of: object).get() == body.allBytes)
            let parts = server.requests(.get).filter { $0.status == 206 }
            #expect(parts.reduce(0) { $0 + $1.sentByteCount } <= 2_000_000)
        }
    }

    @Test(arguments: [
        (S3Action.damage(.html), StoreError.Code.malformedResponse),
        (.damage(.contentRange("bytes 1-10/2000000")), .malformedResponse), (.damage(.etag("\"other\"")), .changed),
        (.refuse(.accessDenied), .accessDenied), (.refuse(.expiredToken), .credentialsExpired),
        (.refuse(.invalidObjectState), .archived), (.refuse(.signatureDoesNotMatch), .credentialsRejected),
    ])
    func `ends at once where repeating is no help`(action: S3Action, code: StoreError.Code) throws {
        try withObject { server, client, object in
            server.script(.gets, action)
            try #expect(client.bytes(0..<10, of: object).failureCode == code)
            #expect(server.requests(.get).count == 1)
        }
    }

    @Test func `never takes bytes of another version`() throws {
        try withObject { server, client, object in
            server.put("k", .text("new"))
            try #expect(client.bytes(0..<10, of: object).failureCode == .changed)
            server.delete("k")
            try #expect(client.bytes(0..<10, of: object).failureCode == .noSuchKey)
        }
    }

    @Test func `goes to the region that the bucket names, and stays there`() throws {
        try withObject { server, client, object in
            server.script(.any, .refuse(.otherRegion("eu-west-1", status: 400)), count: 1)
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(server.log.map(\.request.signedRegion) == ["us-east-1", "eu-west-1", "eu-west-1"])
        }
    }

    @Test func `gives up at the deadline and says what happened last`() throws {
        try withObject { server, client, object in
            server.script(.gets, .refuse(.slowDown))
            let throttled = try client.bytes(0..<10, of: object, within: .seconds(1))
            #expect(throttled.failureCode == .throttled)
            server.clearScripts()
            server.script(.gets, .linger(.stall))
            try #expect(client.bytes(0..<10, of: object, within: .seconds(1)).failureCode == .timedOut)
        }
    }

    @Test func `that nobody answers names the endpoint`() throws {
        let client = try S3Client.of("http://127.0.0.1:\(try freePort())", bucket: "bucket")
        defer { client.shutdown() }
        let outcome = try client.page(ListRequest(prefix: "", isDelimited: true), within: .seconds(1))
        #expect(outcome.failureCode == .unreachable)
        guard case .failure(let error) = outcome else { return }
        #expect(error.message.contains("can't connect to http://127.0.0.1:"))
    }

    @Test func `cancels a request once, wherever it stands`() throws {
        try withS3TestServer { server in
            let object = server.put("k", body)
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket, connectionLimit: 1)
            defer { client.shutdown() }
            server.script(.gets, .linger(.stallAfter(byteCount: 1_000)))
            let collectors = (0..<3).map { _ in RangeCollector() }
            let requests = collectors.map {
                client.get(
                    RangeRequest(object: object, range: 0..<2_000_000), deadline: .now + .seconds(60), receiver: $0)
            }
            try eventually("the first bytes") { !collectors[0].bytes.isEmpty }
            // The others still wait for the only connection.
            for request in requests.reversed() { request.cancel() }
            for collector in collectors { try #expect(collector.outcome().failureCode == .cancelled) }
            for request in requests { request.cancel() }
            server.clearScripts()
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(collectors.map(\.endCount) == [1, 1, 1])
        }
    }

    @Test func `ends every request when it is shut down`() throws {
        try withObject { server, client, object in
            server.script(.gets, .linger(.stall))
            let collectors = (0..<20).map { _ in RangeCollector() }
            for collector in collectors {
                client.get(
                    RangeRequest(object: object, range: 0..<10), deadline: .now + .seconds(60), receiver: collector)
            }
            client.shutdown()
            #expect(collectors.map(\.endCount) == Array(repeating: 1, count: 20))
            try #expect(client.bytes(0..<10, of: object).failureCode == .cancelled)
        }
    }
}
