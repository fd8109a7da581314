import Logging
import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

extension S3Client {
    /// Lists all pages. Fails if there are too many.
    fileprivate func allPages(_ request: ListRequest, limit: Int = 100) throws -> [ListPage] {
        var request = request
        var pages: [ListPage] = []
        repeat {
            let page = try page(request).get()
            pages.append(page)
            request.continuation = page.next
        } while request.continuation != nil && pages.count < limit
        #expect(pages.count < limit)
        return pages
    }
}

/// Calls `body` with a server whose responses have a dialect, and a client of it.
private func withDialect(
    _ dialect: StoreDialect, for matcher: S3Matcher = .any, pageLimit: Int = 1_000,
    _ body: (S3TestServer, S3Client) throws -> Void
) throws {
    try withS3TestServer(pageLimit: pageLimit) { server in
        server.script(matcher, .speak(dialect))
        let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
        defer { client.shutdown() }
        try body(server, client)
    }
}

@Suite struct `A store that only knows ListObjects` {
    private static let keys = (0..<8).map { Key("d/\($0) +%é") } + [Key("d/sub/x"), Key("d/z")]
    private static let refusals: [(status: Int, code: String)?] = [
        nil, (501, "NotImplemented"), (400, "InvalidArgument"), (400, "NotImplemented"),
    ]

    @Test(arguments: refusals.indices, [true, false])
    func `a store without ListObjectsV2 is listed to its end by markers, and remembered`(
        index: Int, isDelimited: Bool
    ) throws {
        let refusal = Self.refusals[index]
        try withDialect(.version1(refusal: refusal), pageLimit: 3) { server, client in
            for key in Self.keys { server.put(key, .text("x")) }
            let request = ListRequest(prefix: "d/", isDelimited: isDelimited)
            let expected = isDelimited ? Self.keys.map { $0 == "d/sub/x" ? "d/sub/" : $0 } : Self.keys
            let pages = try client.allPages(request)
            #expect(pages.flatMap(\.items).map(\.key) == expected)
            #expect(pages.allSatisfy { $0.isOrdered })
            #expect(server.requests(.list).count == pages.count + (refusal == nil ? 0 : 1))
            server.clearLog()
            #expect(try client.allPages(request).flatMap(\.items).map(\.key) == expected)
            #expect(server.requests(.list).count == pages.count)
            #expect(server.requests(.list).allSatisfy { $0.request.query["list-type"] == nil })
        }
    }

    @Test(arguments: refusals.indices)
    func `a store without ListObjectsV2 begins a listing after a key, even in the first request`(index: Int) throws {
        let refusal = Self.refusals[index]
        try withDialect(.version1(refusal: refusal), pageLimit: 3) { server, client in
            for key in Self.keys { server.put(key, .text("x")) }
            let request = ListRequest(prefix: "d/", isDelimited: true, startAfter: Self.keys[4])
            let keys = try client.allPages(request).flatMap(\.items).map(\.key)
            #expect(keys == Array(Self.keys[5..<8]) + ["d/sub/", "d/z"])
        }
    }

    @Test
    func `a store without ListObjectsV2 and without markers is an error, and its first page is not listed forever`()
        throws
    {
        try withDialect(.withoutPositions, pageLimit: 3) { server, client in
            for key in Self.keys { server.put(key, .text("x")) }
            let first = try client.page(ListRequest(prefix: "d/", isDelimited: true)).get()
            let next = ListRequest(prefix: "d/", isDelimited: true, continuation: first.next)
            guard case .failure(let error) = try client.page(next) else { throw StoreError(.refused, "no error") }
            #expect(error.code == .malformedResponse)
            #expect(error.message.contains("neither continuation tokens nor markers"))
            #expect(server.requests(.list).count == 2)
            // A request with a start also returns the first page, which is reported.
            let later = ListRequest(prefix: "d/", isDelimited: true, startAfter: Self.keys[6])
            #expect(try client.page(later).get().isOrdered == false)
            #expect(server.requests(.list).count <= 4)
        }
    }

    @Test func `ListObjects is not tried if the store refuses all other requests`() throws {
        try withS3TestServer { server in
            server.script(.lists, .refuse(.accessDenied))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            #expect(try client.page(ListRequest(prefix: "", isDelimited: true)).failureCode == .accessDenied)
            #expect(server.requests(.list).count == 1)
        }
    }
}

@Suite struct `A store that does not encode keys` {
    @Test func `keys are not decoded once a key has shown that the store does not encode them`() throws {
        let raw: @Sendable (String) -> String = { $0.replacing("%2B", with: "+").replacing("%25", with: "%") }
        try withDialect(.listing(raw)) { server, client in
            for key in ["100%.txt", "aparc+aseg.mgz", "sub/c+d.txt"] { server.put(Key(key), .text("x")) }
            let root = try client.page(ListRequest(prefix: "", isDelimited: true)).get()
            #expect(root.items.map(\.key) == ["100%.txt", "aparc+aseg.mgz", "sub/"])
            let folder = try client.page(ListRequest(prefix: "sub/", isDelimited: true)).get()
            #expect(folder.items.map(\.key) == ["sub/c+d.txt"])
        }
    }
}

@Suite struct `An object without an ETag in its listing` {
    private static let time = Timestamp(seconds: 1_520_961_904)
    private let body = ObjectBody.pattern(seed: 3, byteCount: 100_000)

    private func object(_ time: Timestamp?) -> ObjectVersion {
        ObjectVersion(key: "k", etag: ETag(standInFor: time), byteCount: 100_000)
    }

    private func withObject(
        _ dialect: StoreDialect = .headers { _ in }, _ test: (S3TestServer, S3Client) throws -> Void
    ) throws {
        try withDialect(dialect) { server, client in
            server.put("k", body, lastModified: Self.time)
            try test(server, client)
        }
    }

    @Test func `an object without an ETag is requested if unmodified, and then by the ETag of the first response`()
        throws
    {
        try withObject { server, client in
            try #expect(client.bytes(0..<10, of: object(Self.time)).get() == body.bytes(in: 0..<10))
            try #expect(client.bytes(10..<20, of: object(Self.time)).get() == body.bytes(in: 10..<20))
            let headers = server.requests(.get).map(\.request.headers)
            #expect(headers.map { $0["if-unmodified-since"] } == ["Tue, 13 Mar 2018 17:25:04 GMT", nil])
            #expect(headers.map { $0["if-match"] } == [nil, "\"tag-1\""])
        }
    }

    @Test func `the time of an object without an ETag may have a fraction of a second, which no header has`() throws {
        try withObject { server, client in
            let time = Timestamp(seconds: Self.time.seconds, nanoseconds: 250_000_000)
            try #expect(client.bytes(0..<10, of: object(time)).get() == body.bytes(in: 0..<10))
            #expect(
                server.requests(.get).first?.request.headers["if-unmodified-since"] == "Tue, 13 Mar 2018 17:25:05 GMT")
        }
    }

    @Test func `an object without an ETag that was written after its listing is changed, even before the first read`()
        throws
    {
        try withObject { server, client in
            server.put("k", body, lastModified: Timestamp(seconds: Self.time.seconds + 1))
            try #expect(client.bytes(0..<10, of: object(Self.time)).failureCode == .changed)
        }
    }

    @Test func `an object without an ETag that was written in the same second is changed once it was read`() throws {
        try withObject { server, client in
            try #expect(client.bytes(0..<10, of: object(Self.time)).get().count == 10)
            server.put("k", body, lastModified: Self.time)
            try #expect(client.bytes(0..<10, of: object(Self.time)).failureCode == .changed)
            try #expect(client.bytes(10..<20, of: object(Self.time)).failureCode == .changed)
        }
    }

    @Test
    func `an object without an ETag is changed if the response has another time or size, although no condition fails`()
        throws
    {
        try withS3TestServer { server in
            server.put("k", body, lastModified: Timestamp(seconds: Self.time.seconds - 60))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            // The time is older than in the listing, so no condition fails.
            try #expect(client.bytes(0..<10, of: object(Self.time)).failureCode == .changed)
            server.put("k", .pattern(seed: 3, byteCount: 99_999), lastModified: Self.time)
            try #expect(client.bytes(0..<10, of: object(Self.time)).failureCode == .changed)
        }
    }

    @Test func `an object without an ETag in any response is identified by time and size`() throws {
        try withObject(.headers { $0["ETag"] = nil }) { server, client in
            try #expect(client.bytes(0..<10, of: object(Self.time)).get() == body.bytes(in: 0..<10))
            try #expect(client.bytes(10..<20, of: object(Self.time)).get() == body.bytes(in: 10..<20))
            #expect(server.requests(.get).allSatisfy { $0.request.headers["if-unmodified-since"] != nil })
            server.put("k", body, lastModified: Timestamp(seconds: Self.time.seconds + 1))
            try #expect(client.bytes(0..<10, of: object(Self.time)).failureCode == .changed)
        }
    }

    @Test func `an object without an ETag and a time in responses cannot be read`() throws {
        let dialect = StoreDialect.headers {
            $0["ETag"] = nil
            $0["Last-Modified"] = "yesterday"
        }
        try withObject(dialect) { _, client in
            guard case .failure(let error) = try client.bytes(0..<10, of: object(Self.time)) else {
                throw StoreError(.refused, "no error")
            }
            #expect(error.code == .malformedResponse)
            #expect(error.message.contains("neither an ETag nor a valid Last-Modified"))
        }
    }

    @Test func `an object without an ETag and a time in its listing is identified by its size and the first response`()
        throws
    {
        try withObject { server, client in
            try #expect(client.bytes(0..<10, of: object(nil)).get() == body.bytes(in: 0..<10))
            server.put("k", body, lastModified: Timestamp(seconds: Self.time.seconds + 1))
            try #expect(client.bytes(10..<20, of: object(nil)).failureCode == .changed)
            #expect(server.requests(.get).allSatisfy { $0.request.headers["if-unmodified-since"] == nil })
        }
    }

    @Test(arguments: ["W/\"tag-1\"", "\"tag-1-gzip\"", "tag-1", "\"tag-1;gzip\""])
    func `an ETag is the same in all its spellings`(spelling: String) throws {
        try withObject { server, client in
            try #expect(client.bytes(0..<10, of: object(Self.time)).get().count == 10)
            server.clearScripts()
            server.script(.gets, .damage(.etag(spelling)))
            try #expect(client.bytes(10..<20, of: object(Self.time)).get() == body.bytes(in: 10..<20))
        }
    }
}

@Suite struct `The validators of first responses` {
    @Test func `the validators of at most 16,384 objects are kept, and later responses must agree with them`() {
        var first = FirstValidators()
        func object(_ index: Int) -> ObjectVersion {
            ObjectVersion(key: Key("\(index)"), etag: ETag(standInFor: nil), byteCount: index)
        }
        func admits(_ etag: String?, _ seconds: Int?, _ index: Int) -> Bool {
            let validators = FirstValidators.Validators(
                etag: etag.map { ETag($0) }, lastModified: seconds.map { Timestamp(seconds: $0) })
            return first.record(validators, of: object(index))
        }
        let areAdmitted = (0..<20_000).map { admits("a", nil, $0) }
        #expect(areAdmitted.allSatisfy { $0 })
        let count = (0..<20_000).count { first.validators(of: object($0)) != nil }
        #expect(count == 16_384)
        let results = [
            admits("b", nil, 19_999), admits(nil, 5, 19_999), admits("a", 5, 19_999), admits(nil, 6, 19_999),
            admits("W/\"a\"", 6, 19_999),
        ]
        #expect(results == [false, true, true, false, false])
        #expect(first.validators(of: object(19_999)) == .init(etag: ETag("a"), lastModified: Timestamp(seconds: 5)))
    }
}

@Suite struct `An object that is stored compressed` {
    private let stored = ObjectBody.pattern(seed: 4, byteCount: 30_000)
    private let unpacked = ObjectBody.pattern(seed: 5, byteCount: 200_000)

    @Test(arguments: [true, false], [0..<30_000, 100..<200])
    func `a compressed object arrives as it is stored from a store that decompresses it`(
        announcesLength: Bool, range: Range<Int>
    ) throws {
        try withDialect(.unpacks(unpacked, announcesLength: announcesLength), for: .gets) { server, client in
            let object = server.put("k", stored)
            try #expect(client.bytes(range, of: object).get() == stored.bytes(in: range))
            let encodings = server.requests(.get).map { $0.request.headers["accept-encoding"] }
            #expect(encodings == ["identity", "gzip"])
            server.clearLog()
            // The store is recognized after one response.
            try #expect(client.bytes(range, of: object).get() == stored.bytes(in: range))
            #expect(server.requests(.get).count == 1)
        }
    }

    @Test func `a compressed object arrives as it is stored where decompression makes it smaller`() throws {
        let small = ObjectBody.pattern(seed: 6, byteCount: 10)
        for announcesLength in [true, false] {
            try withDialect(.unpacks(small, announcesLength: announcesLength), for: .gets) { server, client in
                let object = server.put("k", stored)
                try #expect(client.bytes(0..<30_000, of: object).get() == stored.allBytes)
            }
        }
    }

    @Test
    func `an object arrives uncompressed through a proxy that compresses, although the store decompresses others`()
        throws
    {
        try withS3TestServer { server in
            let (other, object) = (server.put("other", stored), server.put("k", stored))
            server.script(.get("other"), .speak(.unpacks(unpacked, announcesLength: true)))
            server.script(.get("k"), .speak(.packs(.pattern(seed: 7, byteCount: 12_000))))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            try #expect(client.bytes(0..<30_000, of: other).get() == stored.allBytes)
            server.clearLog()
            try #expect(client.bytes(0..<30_000, of: object).get() == stored.allBytes)
            let encodings = server.requests(.get).map { $0.request.headers["accept-encoding"] }
            #expect(encodings == ["gzip", "identity"])
        }
    }

    @Test func `an object arrives as it is stored if the response only declares its encoding`() throws {
        try withDialect(.headers { $0["Content-Encoding"] = "gzip" }, for: .gets) { server, client in
            let object = server.put("k", stored)
            try #expect(client.bytes(0..<30_000, of: object).get() == stored.allBytes)
            try #expect(client.bytes(5..<10, of: object).get() == stored.bytes(in: 5..<10))
            #expect(server.requests(.get).count == 2)
            #expect(server.requests(.get).allSatisfy { $0.request.headers["accept-encoding"] == "identity" })
        }
    }

    @Test func `an object of which the store always sends another form is an error after two requests`() throws {
        try withS3TestServer { server in
            let object = server.put("k", stored)
            server.script(.gets, .damage(.wholeObject))
            let client = try S3Client.of(server.endpointURL, bucket: server.bucket)
            defer { client.shutdown() }
            guard case .failure(let error) = try client.bytes(5..<10, of: object) else {
                throw StoreError(.refused, "no error")
            }
            #expect(error.message.contains("the whole object instead of a part"))
            #expect(server.requests(.get).count == 2)
        }
    }
}
