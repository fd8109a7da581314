import ObjectStore
import SystemSupport
import Testing

@testable import Reader

@Suite("A failure that took as long as a read may") struct RecentFailureTests {
    private let start = RunningClock.now

    private func failed(after duration: Duration) -> RecentFailure? {
        RecentFailure(
            StoreError(.timedOut, "test"), range: 100..<200, start: start, now: start + duration,
            readTimeout: .seconds(60))
    }

    @Test func `A failure after a long wait answers an immediate retry of its bytes, and no later one`() throws {
        let failure = try #require(failed(after: .seconds(60)))
        let end = start + .seconds(60)
        #expect(failure.answers(0..<101, now: end))
        #expect(failure.answers(199..<300, now: end + .milliseconds(999)))
        #expect(!failure.answers(0..<100, now: end), "other bytes")
        #expect(!failure.answers(200..<300, now: end), "other bytes")
        #expect(!failure.answers(100..<200, now: end + .seconds(1)), "a person who tries again")
    }

    @Test func `A failure that came soon does not answer a retry`() {
        #expect(failed(after: .seconds(29)) == nil)
        #expect(failed(after: .seconds(31)) != nil)
    }
}
