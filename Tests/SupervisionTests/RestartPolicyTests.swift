import Logging
import SystemSupport
import Testing

@testable import Supervision

@Suite("The restart policy") struct RestartPolicyTests {
    @Test func `a server that is killed gets a successor, however often, after longer and longer pauses`() {
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

    @Test(
        "A server that crashes at once gets a limited number of successors",
        arguments: RestartPolicy.crashSignals.sorted())
    func crashes(signal: Int32) {
        var policy = RestartPolicy()
        for _ in 1..<RestartPolicy.crashLimit {
            #expect(policy.decide(after: .killed(signal: signal), servedFor: .seconds(1)) == .restart(after: .zero))
        }
        #expect(policy.decide(after: .killed(signal: signal), servedFor: .seconds(1)).isEnd)
    }

    @Test(
        "A long life or a kill between crashes restarts their count",
        arguments: [(11, 60), (9, 1)] as [(Int32, Int)])
    func between(signal: Int32, seconds: Int) {
        var policy = RestartPolicy()
        for _ in 0..<5 {
            for _ in 1..<RestartPolicy.crashLimit {
                #expect(!policy.decide(after: .killed(signal: 11), servedFor: .seconds(1)).isEnd)
            }
            #expect(!policy.decide(after: .killed(signal: signal), servedFor: .seconds(seconds)).isEnd)
        }
    }

    @Test func `servers that never serve get successors after longer and longer pauses, and then none`() {
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
