import ObjectStore
import TestSupport
import Testing

/// Listings with faults, as curl sees them.
@Suite struct ListingFaultTests {
    /// One answer to ListObjectsV2.
    private struct Answer: Equatable {
        let keys: [String]
        let isTruncated: Bool
        let token: String?

        init(_ text: String) {
            keys = text.matches(of: /<Contents><Key>([^<]*)</).map { String($0.1) }
            isTruncated = text.contains("<IsTruncated>true<")
            token = text.firstMatch(of: /<NextContinuationToken>([^<]*)</).map { String($0.1) }
        }
    }

    /// A server of five keys below `k/`, two on a page.
    private func withServer<Result>(_ body: (S3TestServer) throws -> Result) throws -> Result {
        try withS3TestServer(pageLimit: 2) { server in
            for name in ["a", "b", "c", "d", "e"] { server.put(Key("k/" + name), .text("x")) }
            return try body(server)
        }
    }

    private func list(_ server: S3TestServer, _ parameter: String = "", _ value: String? = nil) throws -> Answer {
        let rest = value.map { "&\(parameter)=\($0)" } ?? ""
        let url = server.endpointURL + "/tract-test?list-type=2&prefix=k/" + rest
        return Answer(try runChecked("curl", ["-s", "-m", "20", url]))
    }

    /// The second page, which has "k/c" and "k/d", and goes on. Also the token that it was asked for with.
    private func secondPage(_ server: S3TestServer, _ fault: ListingFault) throws -> (Answer, token: String) {
        let token = try #require(try list(server).token)
        server.script(.lists, .misList(fault), count: 1)
        return (try list(server, "continuation-token", token), token)
    }

    @Test(arguments: [
        (ListingFault.repeatsStart, ["k/b", "k/c", "k/d"]), (.reorders, ["k/d", "k/c"]), (.goesBack, ["k/a", "k/b"]),
        (.leavesPrefix, ["k/c", "k/d", "k0"]), (.isEmpty, []), (.repeatsToken, ["k/c", "k/d"]),
        (.losesToken, ["k/c", "k/d"]), (.deniesMore, ["k/c", "k/d"]), (.promisesMore, ["k/c", "k/d"]),
    ])
    func `A page has the items that its fault gives it`(fault: ListingFault, keys: [String]) throws {
        try withServer { server in
            let (answer, token) = try secondPage(server, fault)
            #expect(answer.keys == keys)
            #expect(answer.isTruncated == (fault != .deniesMore))
            #expect((answer.token == nil) == (fault == .losesToken))
            // The first page's token is the one that the second was asked for with.
            #expect((answer.token == token) == [.repeatsToken, .goesBack].contains(fault))
            #expect(try list(server).keys == ["k/a", "k/b"], "one page was spoilt, no other")
        }
    }

    @Test func `A fault can repeat an item of a page`() throws {
        try withServer { server in
            let keys = try secondPage(server, .repeatsItem).0.keys
            #expect([["k/c", "k/c", "k/d"], ["k/c", "k/d", "k/d"]].contains(keys))
        }
    }

    @Test func `The listing continues behind an empty page`() throws {
        try withServer { server in
            let empty = try secondPage(server, .isEmpty).0
            let page = try list(server, "continuation-token", empty.token)
            #expect(page.keys == ["k/c", "k/d"])
            #expect(page.isTruncated)
        }
    }

    @Test func `A fault makes the last page promise another, which is empty and the last`() throws {
        try withServer { server in
            server.script(.lists, .misList(.promisesMore), count: 1)
            let promise = try list(server, "start-after", "k/d")
            #expect(promise.keys == ["k/e"] && promise.isTruncated)
            let last = try list(server, "continuation-token", promise.token)
            #expect(last == Answer("<IsTruncated>false<"))
        }
    }

    @Test func `A fault puts start-after into the page that should begin behind it`() throws {
        try withServer { server in
            server.script(.lists, .misList(.repeatsStart), count: 1)
            let page = try list(server, "start-after", "k/c")
            #expect(page.keys == ["k/c", "k/d", "k/e"])
        }
    }

    @Test func `A random half of the requests is the same half for the same seed`() throws {
        func statuses() throws -> String {
            try withServer { server in
                server.script(.lists.half(seed: 7), .refuse(.slowDown))
                let urls = (0..<40).map { "\(server.endpointURL)/tract-test?list-type=2&prefix=\($0)" }
                _ = try runChecked("curl", ["-s", "-m", "20"] + urls)
                return server.log.map { $0.status == 503 ? "x" : "." }.joined()
            }
        }
        let first = try statuses()
        #expect(first.count == 40)
        #expect((8...32).contains(first.count { $0 == "x" }))
        #expect(try statuses() == first)
    }
}
