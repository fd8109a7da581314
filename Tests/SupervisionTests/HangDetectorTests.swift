import StateLog
import Testing

@testable import Supervision

@Suite("The hang detector") struct HangDetectorTests {
    private func symptoms(_ samples: [HangDetector.Sample], limit: Int = 3) -> [HangDetector.Symptom?] {
        var detector = HangDetector(sampleLimit: limit)
        return samples.map { detector.observe($0) }
    }

    private func sample(
        taken: UInt64 = 0, answered: UInt64 = 0, owed: UInt64 = 0, received: UInt64 = 0, hasPending: Bool = false,
        isStopped: Bool = false, isGone: Bool = false
    ) -> HangDetector.Sample {
        HangDetector.Sample(
            count: ConversationCount(taken: taken, answered: answered, owed: owed, received: received),
            hasPending: hasPending, isStopped: isStopped, isMountGone: isGone)
    }

    @Test func `a server without requests does not hang`() {
        #expect(symptoms((0..<100).map { _ in sample() }).allSatisfy { $0 == nil })
    }

    @Test func `a server that always has requests, and takes and answers some, does not hang`() {
        let samples = (0..<100).map { sample(taken: $0, answered: $0, owed: 5, hasPending: true) }
        #expect(symptoms(samples).allSatisfy { $0 == nil })
    }

    @Test func `a server that takes no pending request hangs`() {
        #expect(symptoms((0..<4).map { _ in sample(taken: 7, hasPending: true) }) == [nil, nil, nil, .takesNoRequests])
    }

    @Test func `a server that takes requests and answers none hangs`() {
        let samples = (0..<4).map { sample(taken: $0, owed: $0 + 1, hasPending: true) }
        #expect(symptoms(samples) == [nil, nil, nil, .sendsNoReplies])
    }

    @Test func `a server that answers no request does not hang as long as the store responds`() {
        let samples = (0..<100).map { sample(taken: 1, owed: 1, received: $0) }
        #expect(symptoms(samples).allSatisfy { $0 == nil })
        let silent = (0..<4).map { sample(taken: $0, owed: 1, received: 7) }
        #expect(symptoms(silent) == [nil, nil, nil, .sendsNoReplies])
    }

    @Test func `a stopped server does not hang, and has the full time again when it continues`() {
        let stopped = (0..<100).map { _ in sample(owed: 1, hasPending: true, isStopped: true) }
        let running = (0..<4).map { _ in sample(owed: 1, hasPending: true) }
        #expect(symptoms(stopped).allSatisfy { $0 == nil })
        #expect(symptoms(running.prefix(2) + stopped + running.prefix(2)).allSatisfy { $0 == nil })
        #expect(symptoms(stopped + running).dropFirst(100).first { $0 != nil } == .takesNoRequests)
    }

    @Test func `a server that outlives its mount hangs`() {
        #expect(symptoms((0..<3).map { _ in sample(isGone: true) }) == [nil, nil, .outlivesMount])
    }
}
