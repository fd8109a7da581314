import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

/// A wrapper for mutating calls within `#expect`.
private final class TriedState {
    private var state = BucketSessionState()

    var transientError: StoreError? { state.transientError }

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
        _ result: Result<CreatedSession, StoreError>, now: ContinuousClock.Instant
    ) -> BucketSessionState.Change {
        state.take(result, now: now)
    }
}

@Suite struct `The session of a directory bucket` {
    private let start = ContinuousClock.now

    private func session(_ number: Int, at seconds: Double, lifetime: Int = 300) -> CreatedSession {
        CreatedSession(
            credentials: Credentials(accessKeyID: "ID\(number)", secretAccessKey: "s", sessionToken: "t")
                .ofBucketSession,
            askedAt: at(seconds), lifetime: .seconds(lifetime), expiry: Timestamp(seconds: 0))
    }

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

    /// Returns a state whose first session was created at the start, and accepted by the store if it `isVerified`.
    private func begun(isVerified: Bool = true) -> TriedState {
        let state = TriedState()
        _ = state.current(now: start)
        _ = state.takeRequest()
        _ = state.take(.success(session(1, at: 0)), now: start)
        if isVerified { state.noteSuccess(of: session(1, at: 0).credentials) }
        return state
    }

    /// Returns the id of the access key to sign with, or a word.
    private func told(_ state: TriedState, at seconds: Double) -> String {
        switch state.current(now: at(seconds)) {
        case .session(let credentials, _): credentials.accessKeyID
        case .renewing: "renewing"
        case .unavailable: "unavailable"
        case .account: "account"
        }
    }

    @Test func `a session is created once for all requests that wait for it`() {
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

    @Test func `a session is renewed half-way while requests use the old one, and never while idle`() {
        let state = begun()
        #expect(told(state, at: 149) == "ID1")
        #expect(!state.takeRequest())
        #expect(told(state, at: 151) == "ID1")
        #expect(state.takeRequest())
        #expect(told(state, at: 152) == "ID1")
        #expect(!state.takeRequest())
        _ = state.take(.success(session(2, at: 151)), now: at(153))
        #expect(told(state, at: 153) == "ID2")
        // Ten minutes without a request.
        #expect(told(state, at: 800) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `a session is not used at the end of its lifetime`() {
        let state = begun()
        #expect(told(state, at: 289) == "ID1")
        #expect(state.inUse(now: at(289)) != nil)
        #expect(told(state, at: 291) == "renewing")
        #expect(state.inUse(now: at(291)) == nil)
    }

    @Test func `a session that the store refuses is replaced`() {
        let state = begun()
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(60)))
        #expect(told(state, at: 60) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(2, at: 60)), now: at(60))
        // A late refusal of the old session.
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(61)))
        #expect(told(state, at: 61) == "ID2")
    }

    @Test func `a verified session is kept if the one before was refused for the same object`() {
        let state = begun()
        #expect(state.noteRefusal(of: session(1, at: 0).credentials, for: "x", now: at(2)))
        #expect(told(state, at: 2) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(2, at: 2)), now: at(2))
        state.noteSuccess(of: session(2, at: 2).credentials)
        #expect(!state.noteRefusal(of: session(2, at: 2).credentials, for: "x", now: at(3)))
        #expect(!state.noteRefusal(of: session(2, at: 2).credentials, for: "x", now: at(4)))
        #expect(told(state, at: 4) == "ID2")
        // The refusal of another object, or a much later one, counts again.
        #expect(state.noteRefusal(of: session(2, at: 2).credentials, for: "y", now: at(4)))
        #expect(told(state, at: 4) == "renewing")
    }

    @Test func `sessions are created at most about once a second if the store refuses each`() {
        let state = begun(isVerified: false)
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

    @Test func `a forbidden session makes requests fail at once, and is requested again after a second`() {
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
    func `a transient failure of CreateSession leaves requests waiting for the next session`(code: StoreError.Code) {
        let state = TriedState()
        _ = state.current(now: start)
        #expect(state.takeRequest())
        #expect(state.take(.failure(StoreError(code, "later")), now: at(5)) == .none)
        #expect(state.transientError == StoreError(code, "later"))
        #expect(told(state, at: 5) == "renewing")
        #expect(state.takeRequest())
        _ = state.take(.success(session(1, at: 6)), now: at(6))
        #expect(state.transientError == nil)
    }

    @Test func `a session that cannot be renewed is used until its end, and the renewal is retried after a pause`() {
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

    @Test func `a session that is canceled at the end of the client is not a failure`() {
        let state = TriedState()
        _ = state.current(now: start)
        #expect(state.takeRequest())
        #expect(state.take(.failure(StoreError(.cancelled, "")), now: start) == .none)
        #expect(told(state, at: 0) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `an old session is dropped for a signature with a long validity`() {
        let state = begun()
        state.retireOld(now: at(100))
        #expect(state.inUse(now: at(100)) != nil)
        state.retireOld(now: at(200))
        #expect(state.inUse(now: at(200)) == nil)
        #expect(told(state, at: 200) == "renewing")
        #expect(state.takeRequest())
    }

    @Test func `no session is needed if the store does not support sessions`() {
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
    private func document(_ credentials: String, root: String = "CreateSessionResult") -> CredentialsXML {
        CredentialsXML(
            parsing: Array(
                """
                <?xml version="1.0" encoding="UTF-8"?>
                <\(root) xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Credentials>\(credentials)</Credentials></\(root)>
                """.utf8), isSession: true)
    }

    @Test func `the response to CreateSession has keys, a token and an expiry in any order`() {
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
    func `another document is not a response to CreateSession`(root: String) {
        #expect(document("<AccessKeyId>ID</AccessKeyId>", root: root).accessKeyID == nil)
    }

    @Test func `a response to CreateSession with an unreadable expiry has its keys`() {
        let document = document("<AccessKeyId>ID</AccessKeyId><Expiration>soon</Expiration>")
        #expect(document.accessKeyID == "ID")
        #expect(document.expiry == nil)
    }
}
