import ObjectStore
import Testing
import TestSupport

@testable import S3Client

@Suite struct `The latency estimate` {
    @Test func `is careful before it has seen enough`() {
        var estimate = LatencyEstimate()
        #expect(estimate.lateAfter == .seconds(1))
        estimate.record(.milliseconds(10))
        #expect(estimate.lateAfter == .milliseconds(150))
        for _ in 2..<LatencyEstimate.sampleMinimum { estimate.record(.milliseconds(200)) }
        #expect(estimate.lateAfter == .milliseconds(800))
        estimate.record(.milliseconds(200))
        #expect(estimate.lateAfter == .milliseconds(400))
    }

    @Test(arguments: [
        // All equally fast: late is what takes twice as long.
        (slowCount: 0, fast: 30, slow: 30, late: 60),
        // Too few slow ones to count, and enough of them.
        (slowCount: 2, fast: 30, slow: 100, late: 60), (slowCount: 10, fast: 30, slow: 100, late: 100),
        // Slower than anybody should wait for.
        (slowCount: 10, fast: 30, slow: 300, late: 120),
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

    @Test func `doesn't come to take a stall for an answer, though one in ten stalls for as long as it is waited for`()
    {
        var estimate = LatencyEstimate()
        for index in 0..<2_000 { estimate.record(index % 10 == 0 ? estimate.lateAfter : .milliseconds(30)) }
        #expect(estimate.lateAfter == .milliseconds(120))
    }

    @Test func `calls overdue what is slower than all answers, but not than stalls that nobody waited for`() {
        var estimate = LatencyEstimate()
        for index in 0..<400 {
            switch index % 10 {
            case 0: estimate.record(.milliseconds(600), hasAnswer: false)
            case 1: estimate.record(.milliseconds(200))
            default: estimate.record(.milliseconds(30))
            }
        }
        #expect(estimate.overdueAfter == .milliseconds(400))
        #expect(LatencyEstimate().overdueAfter == .seconds(1))
    }

    /// Of whatever times came last, at most one in twenty was later than the estimate, unless four times as late as most, and the
    /// estimate is never below its floors.
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
    /// Whatever the order of requests and wishes, the second requests are never more than one in ten for late answers, one in five
    /// beside those for overdue ones, and the first few.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `is never more than its shares`(seed: UInt64) {
        let (late, overdue) = (HedgeBudget.forLate, HedgeBudget.forOverdue)
        var generator = SeededGenerator(seed: seed)
        var budget = HedgeBudget()
        var (requestCount, lateCount, hedgeCount) = (0, 0, 0)
        for _ in 0..<5_000 {
            let isOverdue = Bool.random(using: &generator)
            if Bool.random(using: &generator) {
                budget.earn()
                requestCount += 1
            } else if budget.spend(isOverdue: isOverdue) {
                hedgeCount += 1
                if !isOverdue { lateCount += 1 }
            }
            #expect(lateCount <= requestCount / late.requestCountPerHedge + late.hedgeCountMax, "seed \(seed)")
            #expect(
                hedgeCount <= requestCount / late.requestCountPerHedge + late.hedgeCountMax
                    + requestCount / overdue.requestCountPerHedge + overdue.hedgeCountMax, "seed \(seed)")
        }
        #expect(hedgeCount >= requestCount / overdue.requestCountPerHedge, "seed \(seed)")
    }

    @Test func `saves up a few and no more`() {
        var budget = HedgeBudget()
        for _ in 0..<1_000 { budget.earn() }
        let late = (0..<20).count { _ in budget.spend(isOverdue: false) }
        let overdue = (0..<20).count { _ in budget.spend(isOverdue: true) }
        #expect(late == HedgeBudget.forLate.hedgeCountMax)
        #expect(overdue == HedgeBudget.forOverdue.hedgeCountMax)
    }
}

@Suite struct `An attempt` {
    private let start = RunningClock.now

    /// What looks say at these milliseconds, when so many bytes had come.
    private func looks(lateAfter: Int, _ looks: [(milliseconds: Int, byteCount: Int)]) -> [Bool] {
        var lateness = Lateness(after: .milliseconds(lateAfter), overdueAfter: .zero, now: start)
        var progress = Progress(now: start)
        return looks.map { look in
            let now = start + .milliseconds(look.milliseconds)
            if look.byteCount > progress.byteCount { progress.receive(look.byteCount - progress.byteCount, now: now) }
            return lateness.look(at: progress, now: now)
        }
    }

    @Test func `is late when its answer doesn't begin, and again after as long`() {
        let late = looks(lateAfter: 50, [49, 50, 60, 99, 100].map { ($0, 0) })
        #expect(late == [false, true, false, false, true])
    }

    @Test func `that has begun is late only after a long pause`() {
        let late = looks(lateAfter: 50, [(50, 1), (140, 2_000), (200, 2_000), (239, 2_000), (240, 2_000)])
        #expect(late == [false, false, false, false, true])
    }

    @Test func `of a slow store may pause for longer`() {
        let late = looks(lateAfter: 300, [(300, 1), (600, 1), (899, 1), (900, 1)])
        #expect(late == [false, false, false, true])
    }

    @Test(arguments: [
        (overdueAfter: 0, instants: [200, 399, 400], areOverdue: [false, false, true]),
        (overdueAfter: 800, instants: [400, 799, 800], areOverdue: [false, false, true]),
        // Whatever other answers take.
        (overdueAfter: 5_000, instants: [400, 999, 1_000], areOverdue: [false, false, true]),
    ])
    func `is overdue when it has been silent for twice as long as makes it late, and as long as no other answer takes`(
        overdueAfter: Int, instants: [Int], areOverdue: [Bool]
    ) {
        let lateness = Lateness(after: .milliseconds(200), overdueAfter: .milliseconds(overdueAfter), now: start)
        let found = instants.map { milliseconds in
            lateness.isOverdue(Progress(now: start), now: start + .milliseconds(milliseconds))
        }
        #expect(found == areOverdue)
    }

    @Test func `that lets bytes drip is late`() {
        let late = looks(lateAfter: 50, (1...4).map { (100 * $0, $0) })
        #expect(late == [false, true, true, true])
    }

    @Test func `that follows two silent ones is heard out for twice as long`() {
        var lateness = Lateness(after: .milliseconds(150), overdueAfter: .milliseconds(200), now: start)
        lateness.relax()
        lateness.watch(from: start)
        let progress = Progress(now: start)
        let late = [299, 300].map { lateness.isLate(progress, now: start + .milliseconds($0)) }
        let overdue = [599, 600].map { lateness.isOverdue(progress, now: start + .milliseconds($0)) }
        #expect(late == [false, true] && overdue == [false, true])
    }

    @Test func `is late as soon as the answers to what was sent with it tell`() {
        var lateness = Lateness(after: LatencyEstimate.firstLateAfter, overdueAfter: .seconds(1), now: start)
        #expect(lateness.lookInstant == start + .seconds(1))
        lateness.learn(lateAfter: .milliseconds(150), overdueAfter: .milliseconds(300))
        #expect(lateness.lookInstant == start + .milliseconds(150))
        lateness.learn(lateAfter: .milliseconds(400), overdueAfter: .milliseconds(800))
        let progress = Progress(now: start)
        let (late, overdue) = (start + .milliseconds(150), start + .milliseconds(300))
        let isLate = lateness.look(at: progress, now: late)
        #expect(isLate && !lateness.isOverdue(progress, now: late) && lateness.isOverdue(progress, now: overdue))
    }
}
