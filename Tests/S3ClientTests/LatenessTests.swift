import Testing
import TestSupport

@testable import S3Client

@Suite struct `The latency estimate` {
    @Test func `is careful before it has seen enough`() {
        var estimate = LatencyEstimate()
        #expect(estimate.lateAfter == .seconds(1))
        estimate.record(.milliseconds(10))
        #expect(estimate.lateAfter == .milliseconds(500))
        for _ in 2..<LatencyEstimate.sampleMinimum { estimate.record(.milliseconds(200)) }
        #expect(estimate.lateAfter == .milliseconds(800))
        estimate.record(.milliseconds(200))
        #expect(estimate.lateAfter == .milliseconds(400))
    }

    @Test(arguments: [
        // All equally fast: late is what takes twice as long.
        (slowCount: 0, fast: 30, slow: 30, late: 60),
        // Too few slow ones to count, and enough of them.
        (slowCount: 2, fast: 30, slow: 300, late: 60), (slowCount: 10, fast: 30, slow: 300, late: 300),
        // Faster than is worth a second request.
        (slowCount: 0, fast: 1, slow: 1, late: 20),
    ])
    func `calls late what is slow and rare`(slowCount: Int, fast: Int, slow: Int, late: Int) {
        var estimate = LatencyEstimate()
        for index in 0..<400 { estimate.record(.milliseconds(index % 100 < slowCount ? slow : fast)) }
        #expect(estimate.lateAfter == .milliseconds(late))
    }

    @Test func `forgets a store that was slow`() {
        var estimate = LatencyEstimate()
        for _ in 0..<1_000 { estimate.record(.seconds(3)) }
        for _ in 0..<LatencyEstimate.sampleLimit + 16 { estimate.record(.milliseconds(30)) }
        #expect(estimate.lateAfter == .milliseconds(60))
    }

    /// Of whatever times came last, at most one in twenty was later than the estimate, and it is never below its floors.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `is passed by at most one in twenty`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var estimate = LatencyEstimate()
        let ceiling = Int.random(in: 1...2_000, using: &generator)
        let count = LatencyEstimate.sampleLimit * 4
        let times = (0..<count).map { _ in
            // A long tail: the product of two numbers is small more often than large.
            Duration.milliseconds(
                Int.random(in: 0...ceiling, using: &generator) * Int.random(in: 1...10, using: &generator))
        }
        for time in times { estimate.record(time) }
        let lateAfter = estimate.lateAfter
        // The last refresh may lie up to 15 samples back.
        let recent = times.suffix(LatencyEstimate.sampleLimit).sorted()
        let lateCount = recent.count { $0 > lateAfter }
        #expect(lateCount <= recent.count / 20 + 16, "seed \(seed)")
        #expect(lateAfter >= LatencyEstimate.floor)
        #expect(lateAfter <= max(recent.last ?? .zero, LatencyEstimate.floor) * 2, "seed \(seed)")
    }
}

@Suite struct `The hedge budget` {
    /// Whatever the order of requests and wishes, the second requests are never more than one in twenty, and the first few.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `is never more than 5 %`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var budget = HedgeBudget()
        var getCount = 0
        var hedgeCount = 0
        for _ in 0..<5_000 {
            if Bool.random(using: &generator) {
                budget.earn()
                getCount += 1
            } else if budget.spend() {
                hedgeCount += 1
            }
            #expect((hedgeCount - HedgeBudget.firstHedgeCount) * 20 <= getCount, "seed \(seed)")
        }
        #expect(hedgeCount >= getCount / 20 - HedgeBudget.hedgeCountMax, "seed \(seed)")
    }

    @Test func `saves up a few and no more`() {
        var budget = HedgeBudget()
        for _ in 0..<1_000 { budget.earn() }
        let grants = (0..<10).map { _ in budget.spend() }
        #expect(grants.count { $0 } == HedgeBudget.hedgeCountMax)
    }
}

@Suite struct `An attempt` {
    private let start = ContinuousClock.now

    @Test func `is late when its answer doesn't begin, and again after as long`() {
        var lateness = Lateness(after: .milliseconds(50), now: start)
        let looks = [49, 50, 60, 99, 100].map { lateness.look(byteCount: 0, now: start + .milliseconds($0)) }
        #expect(looks == [false, true, false, false, true])
    }

    @Test func `that has begun is late only after a long pause`() {
        var lateness = Lateness(after: .milliseconds(50), now: start)
        let looks = [(50, 1), (450, 2), (849, 2), (850, 2)].map { milliseconds, byteCount in
            lateness.look(byteCount: byteCount, now: start + .milliseconds(milliseconds))
        }
        #expect(looks == [false, false, false, true])
    }

    @Test func `of a slow store may pause for longer`() {
        var lateness = Lateness(after: .seconds(1), now: start)
        _ = lateness.look(byteCount: 1, now: start + .seconds(1))
        #expect(lateness.lookInstant == start + .seconds(1) + .seconds(1) * Lateness.stallMultiple)
    }
}
