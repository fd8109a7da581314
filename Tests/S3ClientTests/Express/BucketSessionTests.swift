import ObjectStore
import Synchronization
import SystemSupport
import TestSupport
import Testing

@testable import S3Client

/// Tests of a client with a server that makes the checks of a directory bucket, including signatures.
@Suite struct `A client of a directory bucket` {
    private static let bucket = "hcp--use1-az4--x-s3"
    private let body = ObjectBody.pattern(seed: 5, byteCount: 400_000)
    private let log = RecordedLog()
    private let account = Credentials(accessKeyID: "AKIATEST", secretAccessKey: "hushAccount/secret")

    private func rules(lifetimeSeconds: Int = 300, token: String? = nil) -> S3DirectoryBucket {
        var rules = S3DirectoryBucket(account: .init(id: "AKIATEST", secret: "hushAccount/secret", token: token))
        rules.lifetimeSeconds = lifetimeSeconds
        return rules
    }

    private func client(of endpointURL: String, _ credentials: (any CredentialsProvider)? = nil) throws -> S3Client {
        S3Client(
            configuration: S3Configuration(
                bucket: Self.bucket, endpoint: try S3Endpoint(parsing: endpointURL), connectionLimit: 8,
                networkThreadCount: 2),
            credentials: credentials ?? account, logger: log.logger)
    }

    /// Calls `body` with a server that has an object in a folder, and a client of it.
    private func withDirectoryBucket(
        _ rules: S3DirectoryBucket? = nil, credentials: (any CredentialsProvider)? = nil, pageLimit: Int = 1_000,
        _ test: (S3TestServer, S3Client, ObjectVersion) throws -> Void
    ) throws {
        try withS3TestServer(bucket: Self.bucket, pageLimit: pageLimit) { server in
            let object = server.put("d/k +%é", body)
            server.becomeDirectoryBucket(rules ?? self.rules())
            let client = try client(of: server.endpointURL, credentials)
            defer { client.shutdown() }
            try test(server, client, object)
            #expect(server.complaints == [])
        }
    }

    private let folder = ListRequest(prefix: "d/", isDelimited: true)

    @Test func `many requests at once are signed with one session`() throws {
        try withDirectoryBucket { server, client, object in
            let collectors = (0..<40).map { RangeCollector(firstOffset: $0 * 10_000) }
            for (index, collector) in collectors.enumerated() {
                let range = index * 10_000..<(index + 1) * 10_000
                client.get(
                    RangeRequest(object: object, range: range), deadline: .now + .seconds(60), receiver: collector)
            }
            for collector in collectors { _ = try collector.outcome().get() }
            try #expect(client.page(folder).get().items.map(\.key) == ["d/k +%é"])
            try #expect(client.page(ListRequest(prefix: "", isDelimited: true)).get().items.map(\.key) == ["d/"])
            #expect(server.requests(.session).count == 1)
            #expect(server.log.allSatisfy { [200, 206].contains($0.status) })
            #expect(server.log.allSatisfy { $0.request.signedService == "s3express" })
            #expect(!client.listsInOrder)
        }
    }

    @Test func `sessions are created with the token of temporary credentials`() throws {
        let credentials = Credentials(
            accessKeyID: "AKIATEST", secretAccessKey: "hushAccount/secret", sessionToken: "a/token+==")
        try withDirectoryBucket(rules(token: "a/token+=="), credentials: credentials) { server, client, object in
            try #expect(client.bytes(0..<10, of: object).get() == body.bytes(in: 0..<10))
            #expect(server.requests(.get).allSatisfy { $0.request.headers["x-amz-security-token"] == nil })
        }
    }

    @Test func `a session is renewed during reads, so that no request is refused`() throws {
        // The session is renewed after two seconds, two seconds before its expiry.
        try withDirectoryBucket(rules(lifetimeSeconds: 5)) { server, client, object in
            try eventually("a third session") {
                try #expect(client.bytes(0..<1_000, of: object).get() == body.bytes(in: 0..<1_000))
                return server.requests(.session).count >= 3
            }
            #expect(server.requests(.get).allSatisfy { $0.status == 206 })
            #expect(log.warnings == [])
        }
    }

    @Test func `a session that the store ends is replaced, and no request fails`() throws {
        try withDirectoryBucket { server, client, object in
            try #expect(client.bytes(0..<10, of: object).get() == body.bytes(in: 0..<10))
            server.changeDirectoryBucket { $0.endSessions() }
            try #expect(client.page(folder).get().items.count == 1)
            server.changeDirectoryBucket { $0.endSessions() }
            try #expect(client.bytes(0..<10, of: object).get() == body.bytes(in: 0..<10))
            #expect(server.requests(.session).count == 3)
        }
    }

    @Test func `no session is created while nothing is read`() throws {
        try withDirectoryBucket(rules(lifetimeSeconds: 1)) { server, client, object in
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            let count = server.requests(.session).count
            try eventually("the end of the session") { client.context.bucketSession?.inUse() == nil }
            #expect(server.requests(.session).count == count)
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(server.requests(.session).count > count)
        }
    }

    @Test func `a forbidden session is reported with the missing permission, and created once it is allowed`() throws {
        try withDirectoryBucket { server, client, object in
            server.changeDirectoryBucket { $0.allowsSessions = false }
            guard case .failure(let error) = try client.page(folder) else {
                Issue.record("a listing without a session")
                return
            }
            #expect(error.code == .accessDenied)
            for word in ["a session of s3://\(Self.bucket)", "AccessDenied", "s3express:CreateSession", "kms:Decrypt"] {
                #expect(error.message.contains(word), "\(error)")
            }
            #expect(server.requests(.list).isEmpty)
            server.changeDirectoryBucket { $0.allowsSessions = true }
            try eventually("a listing") { try client.page(folder).failureCode == nil }
            #expect(log.messages.contains { $0.contains("session of s3://\(Self.bucket) created") })
        }
    }

    @Test(arguments: [S3Action.refuse(.slowDown), .refuse(.internalError), .damage(.close), .damage(.reset)])
    func `an occasional failure of CreateSession is retried`(action: S3Action) throws {
        try withDirectoryBucket { server, client, object in
            server.script(.sessions, action, count: 2)
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(server.requests(.session).count == 3)
        }
    }

    @Test(arguments: [
        (S3Action.refuse(.slowDown), StoreError.Code.throttled), (.refuse(.internalError), .serverFault),
        (.linger(.stall), .timedOut),
    ])
    func `a request fails with the last error of CreateSession`(action: S3Action, code: StoreError.Code) throws {
        try withDirectoryBucket { server, client, object in
            server.script(.sessions, action)
            let outcome = try client.bytes(0..<10, of: object, within: .seconds(2))
            #expect(outcome.failureCode == code)
            guard case .failure(let error) = outcome else { return }
            #expect(error.message.contains("a session of s3://\(Self.bucket)"), "\(error)")
            #expect(server.requests(.get).isEmpty)
        }
    }

    @Test func `the endpoint of a directory bucket that refuses connections is named in the error`() throws {
        let client = try client(of: "http://127.0.0.1:\(try freePort())")
        defer { client.shutdown() }
        let outcome = try client.page(folder, within: .seconds(5))
        #expect(outcome.failureCode == .unreachable)
        guard case .failure(let error) = outcome else { return }
        #expect(error.message.contains("can't connect to http://127.0.0.1:"), "\(error)")
    }

    @Test func `other account credentials are used if the store refuses the first`() throws {
        let replaced = ReplacedCredentials(
            [Credentials(accessKeyID: "AKIAOLD", secretAccessKey: "hushOld/secret"), account])
        try withDirectoryBucket(credentials: replaced) { server, client, object in
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(server.requests(.session).map(\.status) == [403, 200])
            #expect(replaced.refusals.map(\.code) == [.credentialsRejected])
        }
    }

    @Test func `only the requests for one object fail if the store refuses only these`() throws {
        try withDirectoryBucket { server, client, object in
            let other = server.put("d/other", body)
            try #expect(client.bytes(0..<10, of: other).get().count == 10)
            server.script(.get("d/k +%é"), .refuse(.invalidAccessKeyID))
            for _ in 0..<3 {
                try #expect(client.bytes(0..<10, of: object).failureCode == .credentialsRejected)
                try #expect(client.bytes(0..<10, of: other).get().count == 10)
            }
            #expect(server.requests(.session).count <= 5)
        }
    }

    @Test func `requests fail if the store refuses all sessions, without many of them`() throws {
        try withDirectoryBucket { server, client, object in
            server.changeDirectoryBucket { $0.refusesSessions = true }
            for _ in 0..<3 { try #expect(client.bytes(0..<10, of: object).failureCode == .credentialsRejected) }
            #expect(server.requests(.session).count <= 6)
        }
    }

    @Test(
        arguments: [
            S3Action.refuse(.error(status: 501, code: "NotImplemented")),
            .refuse(.error(status: 400, code: "InvalidRequest")),
            .refuse(.error(status: 405, code: "MethodNotAllowed")), .refuse(.error(status: 404, code: "NoSuchKey")),
            .refuse(.signatureDoesNotMatch), .refuse(.otherRegion("us-east-1", status: 400)),
            .refuse(
                .document(
                    status: 400, headers: ["x-amz-bucket-region": "us-east-1"],
                    "<Error><Code>AuthorizationHeaderMalformed</Code><Message>incorrect service</Message></Error>")),
            .refuse(.document(status: 200, headers: [:], "<ListBucketResult><Name>b</Name></ListBucketResult>")),
        ])
    func `a store without sessions is read as an ordinary bucket, which is logged once`(action: S3Action) throws {
        try withS3TestServer(bucket: Self.bucket) { server in
            let object = server.put("d/k", body)
            server.require(accessKeyID: "AKIATEST")
            server.script(.sessions, action)
            let client = try client(of: server.endpointURL)
            defer { client.shutdown() }
            for _ in 0..<3 {
                try #expect(client.bytes(0..<10, of: object).get().count == 10)
                try #expect(client.page(folder).get().items.count == 1)
            }
            #expect(server.requests(.session).count == 1)
            for kind in [S3Request.Kind.get, .list] {
                #expect(server.requests(kind).allSatisfy { $0.request.signedService == "s3" })
            }
            #expect(log.messages.filter { $0.contains("reading it as an ordinary bucket") }.count == 1)
            #expect(log.warnings == [])
        }
    }

    @Test(arguments: [
        ListRequest(prefix: "d/", isDelimited: true, startAfter: "d/a"), ListRequest(prefix: "d", isDelimited: true),
        ListRequest(prefix: "", isDelimited: false, startAfter: "a"),
    ])
    func `a listing that a directory bucket does not support is never sent`(request: ListRequest) throws {
        try withDirectoryBucket { server, client, object in
            try #expect(client.page(request).failureCode == .refused)
            #expect(server.log.isEmpty)
        }
    }

    @Test func `the pages of a directory bucket's listing are followed by their tokens in the store's order`() throws {
        try withDirectoryBucket(pageLimit: 2) { server, client, object in
            for index in 0..<7 { server.put(Key("d/x\(index)"), .text("x")) }
            var (request, found) = (folder, Set<Key>())
            repeat {
                let page = try client.page(request).get()
                found.formUnion(page.items.map(\.key))
                request.continuation = page.next
            } while request.continuation != nil
            #expect(found.count == 8)
        }
    }

    @Test
    func `the region and the clock of a directory bucket's store are learned, with the end of a session by that clock`()
        throws
    {
        try withDirectoryBucket { server, client, object in
            server.setClock(aheadBySeconds: 3_600)
            server.changeDirectoryBucket { $0.clockOffsetSeconds = 3_600 }
            server.script(.sessions, .refuse(.otherRegion("eu-west-1", status: 400)))
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            let session = try #require(client.context.bucketSession?.inUse())
            let remaining = try #require(session.expiry).seconds - Timestamp.now.seconds
            #expect((200...300).contains(remaining), "\(remaining)")
            #expect(server.requests(.get).allSatisfy { $0.request.signedService == "s3express" })
            #expect(server.requests(.get).allSatisfy { $0.request.signedRegion == "eu-west-1" })
            #expect(client.context.bucketSession?.isOrdinary == false)
        }
    }

    @Test func `a directory bucket is a prefix of the host name if configured`() throws {
        try withS3TestServer(bucket: Self.bucket) { server in
            let object = server.put("d/k", body)
            server.becomeDirectoryBucket(rules())
            let client = S3Client(
                configuration: S3Configuration(
                    bucket: Self.bucket, endpoint: try S3Endpoint(parsing: server.namedEndpointURL),
                    addressingStyle: .virtual),
                credentials: account, logger: log.logger)
            defer { client.shutdown() }
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            #expect(server.requests(.session).map(\.request.target) == ["/?session="])
            #expect(server.complaints == [])
        }
    }

    @Test func `presigned URLs of a directory bucket are signed by a session and have its expiry`() throws {
        try withDirectoryBucket { server, client, object in
            let holder = URLHolder()
            client.makeURL(of: object.key, lifetime: 3_600, deadline: .now + .seconds(20)) { holder.take($0) }
            let url = try holder.url()
            #expect(url.constraint == .credentialsExpiry)
            #expect((url.expiry?.seconds ?? 0) <= Timestamp.now.seconds + 300)
            #expect(url.text.contains("X-Amz-S3session-Token="))
            let result = try run(
                "curl", ["-sSfg", "--max-time", "60", "-o", "/dev/null", "-w", "%{size_download}", url.text])
            #expect(result.output == "400000", "\(result.errorOutput)")
        }
    }

    @Test func `no secret of a session is reported, whatever the store repeats`() throws {
        try withDirectoryBucket { server, client, object in
            try #expect(client.bytes(0..<10, of: object).get().count == 10)
            for (matcher, code) in [(S3Matcher.any, "InvalidToken"), (.any, "Other"), (.sessions, "AccessDenied")] {
                server.changeDirectoryBucket { $0.endSessions() }
                server.script(matcher, .refuse(.repeating(code: code)))
                guard case .failure(let error) = try client.bytes(0..<10, of: object, within: .seconds(5)) else {
                    Issue.record("bytes in spite of \(code)")
                    continue
                }
                #expect(!"\(error)".contains(S3DirectoryBucket.secretPrefix), "\(error)")
                server.clearScripts()
                try eventually("a session") { try client.page(folder).failureCode == nil }
            }
            let secrets = [S3DirectoryBucket.secretPrefix, "Signature="]
            #expect(log.messages.allSatisfy { message in !secrets.contains { message.contains($0) } })
        }
    }
}

/// Holds the result of a URL for the test.
private final class URLHolder: Sendable {
    private let outcome = Mutex<Result<ObjectURL, StoreError>?>(nil)

    func take(_ result: Result<ObjectURL, StoreError>) {
        outcome.withLock { $0 = result }
    }

    func url() throws -> ObjectURL {
        try eventually("a URL") { outcome.withLock { $0 != nil } }
        return try #require(outcome.withLock { $0 }).get()
    }
}

/// Credentials that are replaced by the next ones when the store refuses them.
private final class ReplacedCredentials: CredentialsProvider {
    private struct State {
        var credentials: [Credentials]
        var refusals: [StoreError] = []
    }

    private let state: Mutex<State>

    init(_ credentials: [Credentials]) {
        state = Mutex(State(credentials: credentials))
    }

    var refusals: [StoreError] { state.withLock { $0.refusals } }

    func current(for subject: String) -> CurrentCredentials {
        .ready(state.withLock { $0.credentials[0] }, isUnverified: false)
    }

    func inUse() -> ResolvedCredentials? { nil }

    func noteRefusal(of credentials: Credentials, for subject: String, _ error: StoreError) -> Bool {
        state.withLock { state in
            state.refusals.append(error)
            guard state.credentials.count > 1 else { return false }
            state.credentials.removeFirst()
            return true
        }
    }

    func noteSuccess(of credentials: Credentials) {}
}
