import ObjectStore
import SystemSupport
import Testing

@testable import S3Client

private typealias Instant = ContinuousClock.Instant

private func resolved(_ id: String, expiry: Timestamp? = nil) -> ResolvedCredentials {
    ResolvedCredentials(
        credentials: Credentials(accessKeyID: id, secretAccessKey: "s"), source: "a test", expiry: expiry, kind: .user)
}

private let refusal = StoreError(.credentialsRejected, "InvalidAccessKeyId (HTTP 403)")

/// Compares values, since `#expect` does not accept mutating calls.
private func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, sourceLocation: sourceLocation)
}

extension CredentialsState {
    /// Returns the answer to a request as text.
    fileprivate mutating func answer(_ now: Instant, for subject: String = "a") -> String {
        switch current(for: subject, now: now).0 {
        case .ready(let credentials, let isUnverified): credentials.accessKeyID + (isUnverified ? "?" : "")
        case .renewing: "renewing"
        case .unavailable: "unavailable"
        }
    }
}

@Suite struct `The state of credentials` {
    private let old = Credentials(accessKeyID: "OLD", secretAccessKey: "s")
    private let new = Credentials(accessKeyID: "NEW", secretAccessKey: "s")
    private let start = Instant.now

    /// Returns the state after the store has refused the first credentials.
    private func refused() -> CredentialsState {
        var state = CredentialsState(resolved("OLD"))
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .lookUp)
        return state
    }

    /// Returns the state after no others were found in time.
    private func lost() -> CredentialsState {
        var state = refused()
        guard case .lost(let error) = state.take(.success(resolved("OLD")), now: start + CredentialsState.grace) else {
            Issue.record("not lost")
            return state
        }
        #expect(error.message.contains("…OLD, from a test): InvalidAccessKeyId"))
        return state
    }

    @Test func `without initial credentials no request is signed before some are found, and the search continues`() {
        var state = CredentialsState(lookingSince: start)
        for subject in ["a", "b", "a"] { expect(state.answer(start, for: subject), "renewing") }
        #expect(state.nextLookup(now: start) == .replacement)
        let late = start + CredentialsState.grace
        guard case .lost = state.take(.failure(SettingsError("the session has ended")), now: late) else {
            Issue.record("not lost")
            return
        }
        expect(state.answer(late), "unavailable")
        let later = late + CredentialsState.checkInterval
        expect(state.answer(later), "renewing")
        #expect(state.nextLookup(now: later) == .check)
        expect(state.take(.success(resolved("NEW")), now: later), .replaced)
        expect(state.answer(later, for: "b"), "NEW?")
    }

    @Test func `requests wait after a refusal of credentials, and use new ones at once`() {
        var state = refused()
        expect(state.answer(start), "renewing")
        #expect(state.nextLookup(now: start) == .replacement)
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .retry)
        expect(state.take(.success(resolved("OLD")), now: start), .none)
        expect(state.take(.failure(SettingsError("half a file")), now: start), .none)
        expect(state.answer(start), "renewing")
        expect(state.take(.success(resolved("NEW")), now: start), .replaced)
        expect(state.answer(start), "NEW?")
        // A request that was in flight.
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .retry)
        expect(state.noteSuccess(of: new, now: start), false)
        expect(state.answer(start), "NEW")
    }

    @Test func `requests fail with the error of the sources if no new credentials are found in time`() {
        var state = refused()
        let problem = SettingsError("the profile has no key")
        guard case .lost(let error) = state.take(.failure(problem), now: start + CredentialsState.grace) else {
            Issue.record("not lost")
            return
        }
        #expect(error.code == .credentialsRejected)
        #expect(error.message.hasSuffix("InvalidAccessKeyId (HTTP 403); and the profile has no key"))
        expect(state.answer(start + CredentialsState.grace), "unavailable")
    }

    @Test func `refused credentials are tried by one request a second, and are used again when the store accepts them`()
    {
        var state = lost()
        var now = start + CredentialsState.grace
        expect(state.answer(now), "unavailable")
        now += CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        #expect(state.nextLookup(now: now) == .check)
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.answer(now), "OLD?")
        expect(state.answer(now), "renewing")
        expect(state.noteRefusal(of: old, for: "a", refusal, now: now), .fail)
        expect(state.answer(now), "unavailable")
        now += CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.answer(now), "OLD?")
        let isHealed = state.noteSuccess(of: old, now: now)
        #expect(isHealed)
        expect(state.answer(now), "OLD")
    }

    @Test func `requests do not wait long for a lookup or a trial that does not end`() {
        var state = lost()
        var now = start + CredentialsState.grace + CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        now += CredentialsState.checkTimeout
        expect(state.answer(now), "unavailable")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.answer(now), "OLD?")
        now += CredentialsState.checkTimeout
        expect(state.answer(now), "unavailable")
        now += CredentialsState.trialTimeout
        expect(state.answer(now), "unavailable")
        expect(state.answer(now), "renewing")
    }

    @Test func `requests do not wait long for a slow source of new credentials, whose result is used later`() {
        var state = refused()
        let late = start + CredentialsState.grace + CredentialsState.replacementTimeout
        expect(state.answer(late - .seconds(1)), "renewing")
        expect(state.answer(late), "unavailable")
        expect(state.take(.success(resolved("NEW")), now: late), .replaced)
        expect(state.answer(late), "NEW?")
    }

    @Test func `the first new credentials are used after a loss`() {
        var state = lost()
        let now = start + CredentialsState.grace + CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        expect(state.take(.success(resolved("NEW")), now: now), .replaced)
        expect(state.answer(now), "NEW?")
    }

    @Test func `the search for credentials ends if the store refuses all of them`() {
        var state = refused()
        for id in ["A", "B"] {
            expect(state.take(.success(resolved(id)), now: start), .replaced)
            let outcome = state.noteRefusal(of: state.resolved.credentials, for: "a", refusal, now: start)
            if id == "A" {
                #expect(outcome == .lookUp)
            } else if case .failFirstReport = outcome {
                expect(state.answer(start), "unavailable")
            } else {
                Issue.record("\(outcome)")
            }
        }
        // New credentials a second later, which are refused as well: not reported again.
        let now = start + CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        expect(state.take(.success(resolved("C")), now: now), .replaced)
        expect(state.noteRefusal(of: state.resolved.credentials, for: "a", refusal, now: now), .fail)
    }

    @Test func `while only one object is refused, requests for others are sent as probes, one at a time`() {
        var state = refused()
        expect(state.answer(start, for: "b"), "OLD?")
        expect(state.answer(start, for: "c"), "renewing")
        expect(state.answer(start), "renewing")
        // Another probe follows one that does not end.
        let late = start + CredentialsState.probeTimeout
        expect(state.answer(late, for: "c"), "OLD?")
        // No request has failed before, so this is not reported.
        expect(state.noteSuccess(of: old, now: late), false)
        expect(state.answer(late), "OLD")
        expect(state.answer(late, for: "b"), "OLD")
    }

    @Test func `an object that alone is refused fails alone, and starts a new search after a while`() {
        var state = refused()
        expect(state.answer(start, for: "b"), "OLD?")
        expect(state.noteSuccess(of: old, now: start), false)
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .retry)
        expect(state.answer(start, for: "b"), "OLD")
        let late = start + CredentialsState.grace
        expect(state.noteRefusal(of: old, for: "a", refusal, now: late), .fail)
        expect(state.answer(late, for: "b"), "OLD")
        let later = start + CredentialsState.isolatedRefusalInterval
        expect(state.noteRefusal(of: old, for: "a", refusal, now: later), .lookUp)
    }

    @Test func `while only one object is refused, only its requests fail`() {
        var state = lost()
        var now = start + CredentialsState.grace
        expect(state.answer(now), "unavailable")
        expect(state.answer(now, for: "b"), "OLD?")
        expect(state.answer(now, for: "c"), "renewing")
        // Also during a lookup, and while the refused object is tried.
        now += CredentialsState.checkInterval
        expect(state.answer(now), "renewing")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.answer(now), "OLD?")
        expect(state.answer(now, for: "d"), "OLD?")
        let isHealed = state.noteSuccess(of: old, now: now)
        #expect(isHealed)
        // The trial of the refused object.
        expect(state.noteRefusal(of: old, for: "a", refusal, now: now), .retry)
        expect(state.answer(now, for: "c"), "OLD")
    }

    @Test func `the refusal of a second object means that the credentials are invalid`() {
        var state = refused()
        expect(state.answer(start, for: "b"), "OLD?")
        expect(state.noteRefusal(of: old, for: "b", refusal, now: start), .retry)
        for subject in ["a", "b", "c"] { expect(state.answer(start, for: subject), "renewing") }
        let end = start + CredentialsState.grace
        guard case .lost = state.take(.success(resolved("OLD")), now: end) else {
            Issue.record("not lost")
            return
        }
        for subject in ["a", "b", "c"] { expect(state.answer(end, for: subject), "unavailable") }
        expect(state.take(.success(resolved("NEW")), now: end), .replaced)
        for subject in ["a", "b", "c"] { expect(state.answer(end, for: subject), "NEW?") }
    }

    @Test func `credentials are renewed before they expire, with retries, and used meanwhile`() {
        let end = Timestamp(seconds: Timestamp.now.seconds + 3_600)
        var state = CredentialsState(resolved("OLD", expiry: end))
        #expect(state.nextLookup(now: start) == nil)
        let due = start + .seconds(3_600 - 300)
        #expect(state.nextLookup(now: due) == .renewal)
        expect(state.take(.failure(SettingsError("down")), now: due), .none)
        #expect(state.nextLookup(now: due) == nil)
        expect(state.answer(due), "OLD")
        #expect(state.nextLookup(now: due + .seconds(1)) == .renewal)
        expect(state.take(.success(resolved("NEW")), now: due), .replaced)
        expect(state.answer(due), "NEW")
        #expect(state.nextLookup(now: due + .seconds(1_000_000)) == nil)
    }
}

@Suite struct `The time to renew credentials` {
    @Test(arguments: [(43_200, 42_840...42_900), (3_600, 3_240...3_300), (600, 300...300), (10, 5...5), (-5, 60...60)])
    func `the renewal of credentials is before their expiry, and not every second after it`(
        remaining: Int, seconds: ClosedRange<Int>
    ) throws {
        let (now, time) = (ContinuousClock.now, Timestamp(seconds: 1_000_000))
        let schedule = RenewalSchedule(
            expiry: Timestamp(seconds: time.seconds + remaining), time: time, now: now)
        let wait = try #require(schedule.instant) - now
        #expect(Duration.seconds(seconds.lowerBound) <= wait && wait <= .seconds(seconds.upperBound))
    }

    @Test func `credentials without an expiry are not renewed, and failed renewals are retried at growing intervals`() {
        let now = ContinuousClock.now
        #expect(RenewalSchedule(expiry: nil, now: now).instant == nil)
        var schedule = RenewalSchedule(expiry: Timestamp(seconds: 0), now: now)
        let waits = (0..<8).map { _ in
            schedule.noteFailure(now: now)
            return schedule.wait(now: now)
        }
        #expect(waits == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    }
}
