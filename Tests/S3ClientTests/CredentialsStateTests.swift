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

/// `#expect` can't be given what changes a variable.
private func expect<Value: Equatable>(
    _ value: Value, _ expected: Value, sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(value == expected, sourceLocation: sourceLocation)
}

extension CredentialsState {
    /// What requests are told, as text that is easily compared.
    fileprivate mutating func told(_ now: Instant, for subject: String = "a") -> String {
        switch current(for: subject, now: now).0 {
        case .ready(let credentials, let isUnproven): credentials.accessKeyID + (isUnproven ? "?" : "")
        case .renewing: "renewing"
        case .unavailable: "unavailable"
        }
    }
}

@Suite struct `The state of credentials` {
    private let old = Credentials(accessKeyID: "OLD", secretAccessKey: "s")
    private let new = Credentials(accessKeyID: "NEW", secretAccessKey: "s")
    private let start = Instant.now

    /// After the store has refused the first credentials.
    private func refused() -> CredentialsState {
        var state = CredentialsState(resolved("OLD"))
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .replace)
        return state
    }

    /// After nothing else was found in time.
    private func lost() -> CredentialsState {
        var state = refused()
        guard case .lost(let error) = state.take(.success(resolved("OLD")), now: start + CredentialsState.grace) else {
            Issue.record("not lost")
            return state
        }
        #expect(error.message.contains("…OLD, from a test): InvalidAccessKeyId"))
        return state
    }

    @Test func `that begins without any has nothing signed before some are found, and goes on looking`() {
        var state = CredentialsState(lookingSince: start)
        for subject in ["a", "b", "a"] { expect(state.told(start, for: subject), "renewing") }
        #expect(state.errand(now: start) == .replacement)
        let late = start + CredentialsState.grace
        guard case .lost = state.take(.failure(SettingsError("the session has ended")), now: late) else {
            Issue.record("not lost")
            return
        }
        expect(state.told(late), "unavailable")
        let later = late + CredentialsState.checkInterval
        expect(state.told(later), "renewing")
        #expect(state.errand(now: later) == .check)
        expect(state.take(.success(resolved("NEW")), now: later), .replaced)
        expect(state.told(later, for: "b"), "NEW?")
    }

    @Test func `is to wait for others as soon as these are refused, and to use those at once`() {
        var state = refused()
        expect(state.told(start), "renewing")
        #expect(state.errand(now: start) == .replacement)
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .askAgain)
        expect(state.take(.success(resolved("OLD")), now: start), .none)
        expect(state.take(.failure(SettingsError("half a file")), now: start), .none)
        expect(state.told(start), "renewing")
        expect(state.take(.success(resolved("NEW")), now: start), .replaced)
        expect(state.told(start), "NEW?")
        // A request that was under way.
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .askAgain)
        expect(state.noteSuccess(of: new, now: start), false)
        expect(state.told(start), "NEW")
    }

    @Test func `is to fail at once where there are no others in time, with what the sources say`() {
        var state = refused()
        let problem = SettingsError("the profile has no key")
        guard case .lost(let error) = state.take(.failure(problem), now: start + CredentialsState.grace) else {
            Issue.record("not lost")
            return
        }
        #expect(error.code == .credentialsRejected)
        #expect(error.message.hasSuffix("InvalidAccessKeyId (HTTP 403); and the profile has no key"))
        expect(state.told(start + CredentialsState.grace), "unavailable")
    }

    @Test func `lets one request a second try the same ones again, and heals when the store takes them`() {
        var state = lost()
        var now = start + CredentialsState.grace
        expect(state.told(now), "unavailable")
        now += CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        #expect(state.errand(now: now) == .check)
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.told(now), "OLD?")
        expect(state.told(now), "renewing")
        expect(state.noteRefusal(of: old, for: "a", refusal, now: now), .giveUp)
        expect(state.told(now), "unavailable")
        now += CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.told(now), "OLD?")
        let isHealed = state.noteSuccess(of: old, now: now)
        #expect(isHealed)
        expect(state.told(now), "OLD")
    }

    @Test func `doesn't make requests wait long for a source or a trial that doesn't end`() {
        var state = lost()
        var now = start + CredentialsState.grace + CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        now += CredentialsState.checkPatience
        expect(state.told(now), "unavailable")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.told(now), "OLD?")
        now += CredentialsState.checkPatience
        expect(state.told(now), "unavailable")
        now += CredentialsState.trialPatience
        expect(state.told(now), "unavailable")
        expect(state.told(now), "renewing")
    }

    @Test func `doesn't make requests wait long for a source that is slow to replace them, but takes what it gives`() {
        var state = refused()
        let late = start + CredentialsState.grace + CredentialsState.replacementPatience
        expect(state.told(late - .seconds(1)), "renewing")
        expect(state.told(late), "unavailable")
        expect(state.take(.success(resolved("NEW")), now: late), .replaced)
        expect(state.told(late), "NEW?")
    }

    @Test func `heals with the first others that are found`() {
        var state = lost()
        let now = start + CredentialsState.grace + CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        expect(state.take(.success(resolved("NEW")), now: now), .replaced)
        expect(state.told(now), "NEW?")
    }

    @Test func `doesn't ask for ever for others where the store refuses them all`() {
        var state = refused()
        for id in ["A", "B"] {
            expect(state.take(.success(resolved(id)), now: start), .replaced)
            let consequence = state.noteRefusal(of: state.resolved.credentials, for: "a", refusal, now: start)
            if id == "A" {
                #expect(consequence == .replace)
            } else if case .giveUpNews = consequence {
                expect(state.told(start), "unavailable")
            } else {
                Issue.record("\(consequence)")
            }
        }
        // Others again, a second later: refused as well, which is no news.
        let now = start + CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        expect(state.take(.success(resolved("C")), now: now), .replaced)
        expect(state.noteRefusal(of: state.resolved.credentials, for: "a", refusal, now: now), .giveUp)
    }

    @Test func `is in doubt while one object is refused: one request for another one at a time is a witness`() {
        var state = refused()
        expect(state.told(start, for: "b"), "OLD?")
        expect(state.told(start, for: "c"), "renewing")
        expect(state.told(start), "renewing")
        // A witness that never ends is followed by another.
        let late = start + CredentialsState.witnessPatience
        expect(state.told(late, for: "c"), "OLD?")
        // That is no news for anybody.
        expect(state.noteSuccess(of: old, now: late), false)
        expect(state.told(late), "OLD")
        expect(state.told(late, for: "b"), "OLD")
    }

    @Test func `lets an object fail alone that is refused while others aren't, and asks anew after a while`() {
        var state = refused()
        expect(state.told(start, for: "b"), "OLD?")
        expect(state.noteSuccess(of: old, now: start), false)
        expect(state.noteRefusal(of: old, for: "a", refusal, now: start), .askAgain)
        expect(state.told(start, for: "b"), "OLD")
        let late = start + CredentialsState.grace
        expect(state.noteRefusal(of: old, for: "a", refusal, now: late), .giveUp)
        expect(state.told(late, for: "b"), "OLD")
        let later = start + CredentialsState.vouchedInterval
        expect(state.noteRefusal(of: old, for: "a", refusal, now: later), .replace)
    }

    @Test func `tells nobody that there are none as long as only one object was refused, but those who want it`() {
        var state = lost()
        var now = start + CredentialsState.grace
        expect(state.told(now), "unavailable")
        expect(state.told(now, for: "b"), "OLD?")
        expect(state.told(now, for: "c"), "renewing")
        // While a source is asked, and while the refused object is tried, too.
        now += CredentialsState.checkInterval
        expect(state.told(now), "renewing")
        expect(state.take(.success(resolved("OLD")), now: now), .none)
        expect(state.told(now), "OLD?")
        expect(state.told(now, for: "d"), "OLD?")
        let isHealed = state.noteSuccess(of: old, now: now)
        #expect(isHealed)
        // The trial of the refused one.
        expect(state.noteRefusal(of: old, for: "a", refusal, now: now), .askAgain)
        expect(state.told(now, for: "c"), "OLD")
    }

    @Test func `takes a second object's refusal for the credentials' end`() {
        var state = refused()
        expect(state.told(start, for: "b"), "OLD?")
        expect(state.noteRefusal(of: old, for: "b", refusal, now: start), .askAgain)
        for subject in ["a", "b", "c"] { expect(state.told(start, for: subject), "renewing") }
        let end = start + CredentialsState.grace
        guard case .lost = state.take(.success(resolved("OLD")), now: end) else {
            Issue.record("not lost")
            return
        }
        for subject in ["a", "b", "c"] { expect(state.told(end, for: subject), "unavailable") }
        expect(state.take(.success(resolved("NEW")), now: end), .replaced)
        for subject in ["a", "b", "c"] { expect(state.told(end, for: subject), "NEW?") }
    }

    @Test func `has credentials renewed before they end, again where that fails, and uses them meanwhile`() {
        let end = Timestamp(seconds: Timestamp.now.seconds + 3_600)
        var state = CredentialsState(resolved("OLD", expiry: end))
        #expect(state.errand(now: start) == nil)
        let due = start + .seconds(3_600 - 300)
        #expect(state.errand(now: due) == .renewal)
        expect(state.take(.failure(SettingsError("down")), now: due), .none)
        #expect(state.errand(now: due) == nil)
        expect(state.told(due), "OLD")
        #expect(state.errand(now: due + .seconds(1)) == .renewal)
        expect(state.take(.success(resolved("NEW")), now: due), .replaced)
        expect(state.told(due), "NEW")
        #expect(state.errand(now: due + .seconds(1_000_000)) == nil)
    }
}

@Suite struct `The time to renew credentials` {
    @Test(arguments: [(43_200, 42_840...42_900), (3_600, 3_240...3_300), (600, 300...300), (10, 5...5), (-5, 60...60)])
    func `lies before their end, and not every second once they have ended`(
        remaining: Int, seconds: ClosedRange<Int>
    ) throws {
        let (now, time) = (ContinuousClock.now, Timestamp(seconds: 1_000_000))
        let schedule = RenewalSchedule(
            expiry: Timestamp(seconds: time.seconds + remaining), time: time, now: now)
        let wait = try #require(schedule.instant) - now
        #expect(Duration.seconds(seconds.lowerBound) <= wait && wait <= .seconds(seconds.upperBound))
    }

    @Test func `is never where they don't end, and later and later where it fails`() {
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
