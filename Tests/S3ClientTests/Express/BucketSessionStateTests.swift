import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

/// A state whose changes can be expected: `#expect` calls nothing that mutates a value.
private final class TriedState {
    private var state = BucketSessionState()

    var trouble: StoreError? { state.trouble }

    func current(now: ContinuousClock.Instant) -> BucketSessionState.Answer { state.current(now: now) }
    func takeRequest() -> Bool { state.takeRequest() }
    func inUse(now: ContinuousClock.Instant) -> BucketSessionState.Session? { state.inUse(now: now) }
    func retireOld(now: ContinuousClock.Instant) { state.retireOld(now: now) }
    func noteSuccess(of credentials: Credentials) { state.noteSuccess(of: credentials) }
    func becomeOrdinary() -> Bool { state.becomeOrdinary() }

    func noteRefusal(of credentials: Credentials, for subject: String, now: ContinuousClock.Instant) -> Bool {
        state.noteRefusal(of: credentials, for: subject, now: now)
    }

    func take(
        _ result: Result<MadeSession, StoreError>, now: ContinuousClock.Instant
    ) -> BucketSessionState.Change {
        state.take(result, now: now)
    }
}

@Suite struct `The session of a directory bucket` {
    private let start = ContinuousClock.now

    private func session(_ number: Int, at seconds: Double, lifetime: Int = 300) -> MadeSession {
        MadeSession(
            credentials: Credentials(accessKeyID: "ID\(number)", secretAccessKey: "s", sessionToken: "t")
                .ofBucketSession,
            askedAt: at(seconds), lifetime: .seconds(lifetime), expiry: Timestamp(seconds: 0))
    }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// A state whose first session was made at the start, and taken by the store if it `isProven`.
    private func begun(isProven: Bool = true) -> TriedState {
        let state = TriedState()
        _ = state.current(now: start)
        _ = state.takeRequest()
        _ = state.take(.success(session(1, at: 0)), now: start)
        if isProven { state.noteSuccess(of: session(1, at: 0).credentials) }
        return state
    }

    /// The id of the access key to sign with, or a word.
    private func told(_ state: TriedState, at seconds: Double) -> String {
        switch state.current(now: at(seconds)) {
        case .session(let credentials, _): credentials.accessKeyID
        case .renewing: "renewing"
        case .unavailable: "unavailable"
        case .account: "account"
        }
    }

    @Test func `is made once for all requests that wait for it`() {
        let state = TriedState()
        #expect(!state.takeRequest())
        for _ in 0..<3 { #expect(told(state, at: 0) == "renewing") }
        #expect(state.takeRequest())
        #expect(told(state, at: 1) == "renewing")
        #expect(!state.takeRequest())
        #expect(state.take(.success(session(1, at: 0)), now: at(1)) == .none)
        #expect(told(state, at: 1) == "ID1")
        #expect(!state.takeRequest())
    }

    @Test func `is renewed half-way by a request, which goes on with the old one, and never while idle`() {
        let state = begun()
        #expect(told(state, at: 149) == "ID1")
        #expect(!state.takeRequest())
        #expect(told(state, at: 151) == "ID1")
        #expect(state.takeRequest())
        #expect(told(state, at: 152) == "ID1")
        #expect(!state.takeRequest())
        _ = state.take(.success(session(2, at: 151)), now: at(153))
        #expect(told(state, at: 153) == "ID2")
        // Nothing has been asked for ten minutes.
        #expect(told(state, at: 800) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `is not used at its very end, which a request on its way would miss`() {
        let state = begun()
        #expect(told(state, at: 289) == "ID1")
        #expect(state.inUse(now: at(289)) != nil)
        #expect(told(state, at: 291) == "renewing")
        #expect(state.inUse(now: at(291)) == nil)
    }

    @Test func `that the store refuses is replaced`() {
        let state = begun()
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(60)))
        #expect(told(state, at: 60) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(2, at: 60)), now: at(60))
        // A refusal of the old one that comes late.
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(61)))
        #expect(told(state, at: 61) == "ID2")
    }

    @Test func `that the store takes for others stays where the one before was refused for the same object`() {
        let state = begun()
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(2)))
        #expect(told(state, at: 2) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(2, at: 2)), now: at(2))
        state.noteSuccess(of: session(2, at: 2).credentials)
        #expect(!state.noteRefusal(of: session(2, at: 2).credentials, for: "x", now: at(3)))
        #expect(!state.noteRefusal(of: session(2, at: 2).credentials, for: "x", now: at(4)))
        #expect(told(state, at: 4) == "ID2")
        // Another object's refusal, or one much later, is news.
        #expect(state.noteRefusal(of: session(2, at: 2).credentials, for: "y", now: at(4)))
        #expect(told(state, at: 4) == "renewing")
    }

    @Test func `is not made more than about once a second where the store refuses each, and others wait`() {
        let state = begun(isProven: false)
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(0.1)))
        #expect(told(state, at: 0.1) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(2, at: 0.1)), now: at(0.2))
        #expect(!state.noteRefusal(of: session(2, at: 0.1).credentials, for: "x", now: at(0.3)))
        #expect(told(state, at: 0.4) == "renewing")
        #expect(!state.takeRequest())
        #expect(told(state, at: 1.4) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(3, at: 1.4)), now: at(1.5))
        state.noteSuccess(of: session(3, at: 1.4).credentials)
        #expect(state.noteRefusal(of: session(3, at: 1.4).credentials, for: "x", now: at(60)))
    }

    @Test func `that may not be made fails requests at once, and is asked for again after a second`() {
        let state = TriedState()
        let denied = StoreError(.accessDenied, "no")
        for (seconds, change) in [(0.0, BucketSessionState.Change.lost(denied)), (1.5, .none)] {
            #expect(told(state, at: seconds) == "renewing")
            #expect(state.takeRequest())
            #expect(state.take(.failure(denied), now: at(seconds)) == change)
            #expect(told(state, at: seconds + 0.5) == "unavailable")
            #expect(!state.takeRequest())
        }
        #expect(told(state, at: 3) == "renewing")
        #expect(state.takeRequest())
        #expect(state.take(.success(session(1, at: 3)), now: at(3)) == .regained)
        #expect(told(state, at: 3) == "ID1")
    }

    @Test(arguments: [StoreError.Code.timedOut, .unreachable, .throttled, .serverFault])
    func `that can't be made now leaves requests waiting for the next, with the reason`(code: StoreError.Code) {
        let state = TriedState()
        _ = state.current(now: start)
        #expect(state.takeRequest())
        #expect(state.take(.failure(StoreError(code, "later")), now: at(5)) == .none)
        #expect(state.trouble == StoreError(code, "later"))
        #expect(told(state, at: 5) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(1, at: 6)), now: at(6))
        #expect(state.trouble == nil)
    }

    @Test func `that can't be renewed is used to its end, and renewal is tried again after a pause`() {
        let state = begun()
        let error = StoreError(.accessDenied, "no")
        #expect(told(state, at: 160) == "ID1")
        #expect(state.takeRequest())
        #expect(state.take(.failure(error), now: at(160)) == .late(error))
        #expect(told(state, at: 161) == "ID1")
        #expect(!state.takeRequest())
        #expect(told(state, at: 166) == "ID1")
        #expect(state.takeRequest())
    }

    @Test func `that is broken off at the end of the client is no failure`() {
        let state = TriedState()
        _ = state.current(now: start)
        #expect(state.takeRequest())
        #expect(state.take(.failure(StoreError(.cancelled, "")), now: start) == .none)
        #expect(told(state, at: 0) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `that is old is given up for a signature that is to hold long`() {
        let state = begun()
        state.retireOld(now: at(100))
        #expect(state.inUse(now: at(100)) != nil)
        state.retireOld(now: at(200))
        #expect(state.inUse(now: at(200)) == nil)
        #expect(told(state, at: 200) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `is not needed where the store knows none`() {
        let state = TriedState()
        _ = state.current(now: start)
        #expect(state.takeRequest())
        #expect(state.becomeOrdinary())
        #expect(!state.becomeOrdinary())
        #expect(state.take(.failure(StoreError(.refused, "")), now: start) == .none)
        #expect(told(state, at: 0) == "account")
        #expect(!state.takeRequest())
    }
}

@Suite struct `The answer to CreateSession` {
    private func document(_ credentials: String, root: String = "CreateSessionResult") -> SessionDocument {
        SessionDocument(
            parsing: Array(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <\(root) xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials>\(credentials)</Credentials></\(root)>
                """.utf8))
    }

    @Test func `has keys, a token and an end, in any order`() {
        let document = document(
            """
            <Expiration>2030-01-31T12:00:00Z</Expiration><SecretAccessKey>s/+=</SecretAccessKey><Other/>
            <AccessKeyId>ID</AccessKeyId><SessionToken>t&#43;t==</SessionToken>
            """)
        #expect(document.accessKeyID == "ID")
        #expect(document.secretAccessKey == "s/+=")
        #expect(document.sessionToken == "t+t==")
        #expect(document.expiry == Timestamp(year: 2030, month: 1, day: 31, hour: 12))
    }

    @Test(arguments: ["ListBucketResult", "AssumeRoleResult", "html"])
    func `is no other document`(root: String) {
        #expect(document("<AccessKeyId>ID</AccessKeyId>", root: root).accessKeyID == nil)
    }

    @Test func `that has an unreadable end still has its keys`() {
        let document = document("<AccessKeyId>ID</AccessKeyId><Expiration>soon</Expiration>")
        #expect(document.accessKeyID == "ID")
        #expect(document.expiry == nil)
    }
}
