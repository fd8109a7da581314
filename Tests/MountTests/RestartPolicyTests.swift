import Logging
import SystemSupport
import Testing

@testable import FuseBridge
@testable import tractfs

@Suite("Whether a dead server gets a successor:") struct RestartPolicyTests {
    @Test func `one that is killed does, however often, but after ever longer pauses`() {
        var policy = RestartPolicy()
        func decide(servedFor: Duration) -> RestartPolicy.Decision {
            policy.decide(after: .killed(signal: 9), servedFor: servedFor)
        }
        for _ in 0..<RestartPolicy.earlyDeathLimit {
            #expect(decide(servedFor: .milliseconds(1)) == .restart(after: .zero))
            #expect(policy.logLevel == .warning)
        }
        for pause in [50, 100, 200, 400, 800, 1_000, 1_000] {
            #expect(decide(servedFor: .milliseconds(1)) == .restart(after: .milliseconds(pause)))
            #expect(policy.logLevel == .debug)
        }
        for _ in 0..<1_000 {
            #expect(decide(servedFor: .milliseconds(1)) == .restart(after: RestartPolicy.pauseMax))
        }
        #expect(decide(servedFor: .seconds(60)) == .restart(after: .zero))
        #expect(policy.logLevel == .warning)
    }

    @Test("one that crashes at once does so often", arguments: RestartPolicy.crashSignals.sorted())
    func crashes(signal: Int32) {
        var policy = RestartPolicy()
        for _ in 1..<RestartPolicy.crashLimit {
            #expect(policy.decide(after: .killed(signal: signal), servedFor: .seconds(1)) == .restart(after: .zero))
        }
        #expect(policy.decide(after: .killed(signal: signal), servedFor: .seconds(1)).isEnd)
    }

    @Test("what lies between crashes makes them single ones", arguments: [(11, 60), (9, 1)] as [(Int32, Int)])
    func between(signal: Int32, seconds: Int) {
        var policy = RestartPolicy()
        for _ in 0..<5 {
            for _ in 1..<RestartPolicy.crashLimit {
                #expect(!policy.decide(after: .killed(signal: 11), servedFor: .seconds(1)).isEnd)
            }
            #expect(!policy.decide(after: .killed(signal: signal), servedFor: .seconds(seconds)).isEnd)
        }
    }

    @Test func `those that never serve get one after ever longer pauses, and then none`() {
        var policy = RestartPolicy()
        var pauses: [Duration] = []
        for _ in 1..<RestartPolicy.failedStartLimit {
            if case .restart(let pause) = policy.decide(after: .exited(status: 1), servedFor: nil) {
                pauses.append(pause)
            }
        }
        #expect(pauses == [100, 200, 400, 800].map { .milliseconds($0) })
        #expect(policy.decide(after: .killed(signal: 9), servedFor: nil).isEnd)
    }
}

extension RestartPolicy.Decision {
    fileprivate var isEnd: Bool {
        if case .giveUp = self { true } else { false }
    }
}

@Suite("Whether a server hangs:") struct StallTests {
    private func findings(_ looks: [Stall.Look], limit: Int = 3) -> [Stall.Finding?] {
        var stall = Stall(lookLimit: limit)
        return looks.map { stall.look($0) }
    }

    private func look(
        taken: UInt64 = 0, answered: UInt64 = 0, owed: UInt64 = 0, received: UInt64 = 0, hasPending: Bool = false,
        isStopped: Bool = false, isGone: Bool = false
    ) -> Stall.Look {
        Stall.Look(
            count: ConversationCount(taken: taken, answered: answered, owed: owed, received: received),
            hasPending: hasPending,
            isStopped: isStopped, isMountGone: isGone)
    }

    @Test func `one without requests doesn't`() {
        #expect(findings((0..<100).map { _ in look() }).allSatisfy { $0 == nil })
    }

    @Test func `one that always has requests, and takes and answers some, doesn't`() {
        let looks = (0..<100).map { look(taken: $0, answered: $0, owed: 5, hasPending: true) }
        #expect(findings(looks).allSatisfy { $0 == nil })
    }

    @Test func `one that takes none of those that are there does`() {
        #expect(findings((0..<4).map { _ in look(taken: 7, hasPending: true) }) == [nil, nil, nil, .untaken])
    }

    @Test func `one that takes requests, and answers none does`() {
        let looks = (0..<4).map { look(taken: $0, owed: $0 + 1, hasPending: true) }
        #expect(findings(looks) == [nil, nil, nil, .unanswered])
    }

    @Test func `one that answers none doesn't as long as something comes from the store`() {
        let looks = (0..<100).map { look(taken: 1, owed: 1, received: $0) }
        #expect(findings(looks).allSatisfy { $0 == nil })
        let silent = (0..<4).map { look(taken: $0, owed: 1, received: 7) }
        #expect(findings(silent) == [nil, nil, nil, .unanswered])
    }

    @Test func `one that is stopped doesn't, and has all the time when it goes on`() {
        let stopped = (0..<100).map { _ in look(owed: 1, hasPending: true, isStopped: true) }
        let running = (0..<4).map { _ in look(owed: 1, hasPending: true) }
        #expect(findings(stopped).allSatisfy { $0 == nil })
        #expect(findings(running.prefix(2) + stopped + running.prefix(2)).allSatisfy { $0 == nil })
        #expect(findings(stopped + running).dropFirst(100).first { $0 != nil } == .untaken)
    }

    @Test func `one that outlives its mount does`() {
        #expect(findings((0..<3).map { _ in look(isGone: true) }) == [nil, nil, .gone])
    }
}
