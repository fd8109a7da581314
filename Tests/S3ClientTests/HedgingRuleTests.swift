import ObjectStore
import SystemSupport
import Testing
import TestSupport

@testable import S3Client

@Suite struct `The latency estimate` {
    @Test func `the latency estimate is high before it has enough samples`() {
        var estimate = LatencyEstimate()
        #expect(estimate.hedgeDelay == .seconds(1))
        estimate.record(.milliseconds(10))
        #expect(estimate.hedgeDelay == .milliseconds(150))
        for _ in 2..<LatencyEstimate.sampleMinimum { estimate.record(.milliseconds(200)) }
        #expect(estimate.hedgeDelay == .milliseconds(800))
        estimate.record(.milliseconds(200))
        #expect(estimate.hedgeDelay == .milliseconds(400))
    }

    @Test(arguments: [
        // All equally fast: a response is late after twice the time.
        (slowCount: 0, fast: 30, slow: 30, late: 60),
        // Too few slow responses to count, and enough of them.
        (slowCount: 2, fast: 30, slow: 100, late: 60), (slowCount: 10, fast: 30, slow: 100, late: 100),
        // Slower than a reader should wait.
        (slowCount: 10, fast: 30, slow: 300, late: 120),
        // Faster than a hedge is worth.
        (slowCount: 0, fast: 1, slow: 1, late: 20),
    ])
    func `the latency estimate counts slow and rare responses as late`(slowCount: Int, fast: Int, slow: Int, late: Int)
    {
        var estimate = LatencyEstimate()
        for index in 0..<400 { estimate.record(.milliseconds(index % 100 < slowCount ? slow : fast)) }
        #expect(estimate.hedgeDelay == .milliseconds(late))
    }

    @Test func `the latency estimate forgets a slow time of the store`() {
        var estimate = LatencyEstimate()
        for _ in 0..<1_000 { estimate.record(.seconds(3)) }
        for _ in 0..<LatencyEstimate.sampleLimit + 16 { estimate.record(.milliseconds(30)) }
        #expect(estimate.hedgeDelay == .milliseconds(60))
    }

    @Test func `the latency estimate does not learn stalls, even if one request in ten stalls until its timeout`() {
        var estimate = LatencyEstimate()
        for index in 0..<2_000 { estimate.record(index % 10 == 0 ? estimate.hedgeDelay : .milliseconds(30)) }
        #expect(estimate.hedgeDelay == .milliseconds(120))
    }

    /// Of the last times, at most one in twenty was later than the estimate, except those of more than four times the
    /// usual time, and the estimate is never below its minimum.
    @Test(arguments: 0..<40 as Range<UInt64>)
    func `at most one response in twenty exceeds the latency estimate`(seed: UInt64) {
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
        let hedgeDelay = estimate.hedgeDelay
        // The last refresh may be up to 15 samples ago.
        let recent = times.suffix(LatencyEstimate.sampleLimit).sorted()
        let lateCount = recent.count { $0 > hedgeDelay }
        #expect(lateCount <= recent.count / 20 + 16, "seed \(seed)")
        #expect(hedgeDelay >= LatencyEstimate.floor)
        #expect(hedgeDelay <= max(recent.last ?? .zero, LatencyEstimate.floor) * 2, "seed \(seed)")
    }
}

@Suite struct `The hedge budget` {
    /// Independent of the order of requests and hedges.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `hedges never exceed their share of the requests and the initial budget`(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        var budget = HedgeBudget()
        var (requestCount, hedgeCount) = (0, 0)
        for _ in 0..<5_000 {
            if Int.random(in: 0..<3, using: &generator) > 0 {
                budget.earn()
                requestCount += 1
            } else if budget.spend(for: HedgeReason.allCases.randomElement(using: &generator) ?? .slow) {
                hedgeCount += 1
            }
            let share = requestCount / HedgeBudget.requestCountPerHedge
            let initial = HedgeBudget.requestCountMax / HedgeBudget.requestCountPerHedge
            #expect(hedgeCount <= share + initial, "seed \(seed)")
        }
        #expect(hedgeCount >= requestCount / HedgeBudget.requestCountPerLateHedge, "seed \(seed)")
    }

    @Test func `the hedge budget saves up a few hedges, and not all of them for late responses`() {
        var budget = HedgeBudget()
        for _ in 0..<1_000 { budget.earn() }
        let lateCount = (0..<20).count { _ in budget.spend(for: .late) }
        let otherCount = (0..<20).count { _ in budget.spend(for: .slow) }
        #expect(lateCount == 4 && otherCount == 9)
    }

    @Test func `late responses earn one hedge for seven requests, stalled and slow ones one for four`() {
        for (reason, requestCount) in [(HedgeReason.late, 7), (.stalled, 4), (.slow, 4)] {
            var budget = HedgeBudget()
            while budget.spend(for: reason) { continue }
            let hedgeCount = (0..<700).count { _ in
                budget.earn()
                return budget.spend(for: reason)
            }
            #expect((700 / requestCount - 1...700 / requestCount).contains(hedgeCount))
        }
    }

    @Test(arguments: HedgeReason.allCases)
    func `a hedge that was not sent costs nothing`(reason: HedgeReason) {
        var budget = HedgeBudget()
        for _ in 0..<1_000 {
            let isSpent = budget.spend(for: reason)
            #expect(isSpent)
            budget.refund(reason)
        }
    }
}

@Suite struct `An attempt's silence` {
    private let start = RunningClock.now

    /// Returns the results at these milliseconds, with these numbers of received bytes.
    private func verdicts(
        median: Int, hedgeCount: Int = 0, _ looks: [(milliseconds: Int, byteCount: Int)]
    ) -> [HedgeReason?] {
        var hedging = Hedging()
        for _ in 0..<LatencyEstimate.sampleLimit { hedging.latency.record(.milliseconds(median)) }
        var progress = Progress(now: start)
        return looks.map { look in
            let now = start + .milliseconds(look.milliseconds)
            if look.byteCount > progress.byteCount { progress.receive(look.byteCount - progress.byteCount, now: now) }
            return hedging.silenceReason(progress, since: start, hedgeCount: hedgeCount, now: now)
        }
    }

    @Test func `silence of an attempt needs a hedge after twice the usual time, and is a stall after twice that`() {
        #expect(verdicts(median: 30, [59, 60, 119, 120].map { ($0, 0) }) == [nil, .late, .late, .stalled])
    }

    @Test func `silence in a body needs a hedge only after a long pause`() {
        let late = verdicts(median: 25, [(50, 1), (140, 2_000), (200, 2_000), (239, 2_000), (240, 2_000)])
        #expect(late == [nil, nil, nil, nil, .stalled])
    }

    @Test func `silence in a body of a slow store may last longer, up to a second`() {
        #expect(verdicts(median: 150, [(300, 1), (899, 1), (900, 1)]) == [nil, nil, .stalled])
        #expect(verdicts(median: 5_000, [(300, 1), (1_299, 1), (1_300, 1)]) == [nil, nil, .stalled])
    }

    @Test func `a few bytes do not end the silence of an attempt`() {
        let late = verdicts(median: 25, (1...4).map { (100 * $0, $0) })
        #expect(late == [nil, .stalled, .stalled, .stalled])
    }

    @Test(arguments: [(hedgeCount: 1, limit: 100), (2, 200), (3, 400)])
    func `silence may last twice as long with each hedge`(hedgeCount: Int, limit: Int) {
        let late = verdicts(median: 25, hedgeCount: hedgeCount, [limit - 1, limit].map { ($0, 0) })
        #expect(late == [nil, .stalled])
    }
}

@Suite struct `The common rate of transfers` {
    private let start = RunningClock.now

    /// Returns the rates after transfers with these megabytes a second have ended, and with these in flight.
    private func common(ended: [Double], underWay: [Double] = [], seconds: Double = 0) -> Double {
        var rates = PeerRates()
        for rate in ended { rates.noteEnd(byteCount: Int(rate * 1e6), time: .seconds(1), start: start, now: start) }
        let later = start + .milliseconds(1)
        rates.update(inFlight: underWay.map { ($0 * 1e6, later) }, now: start + .seconds(seconds))
        return rates.common / 1e6
    }

    @Test func `the common rate is reached by two of three transfers, in flight or just ended`() {
        #expect(common(ended: []) == 1, "what is assumed")
        #expect(common(ended: [], underWay: [0.06]) == 1, "one alone tells nothing")
        #expect(common(ended: [9, 1, 5]) == 5)
        #expect(common(ended: [90, 90], underWay: [0.06]) == 90)
        #expect(common(ended: [90], underWay: [0.06]) == 90)
    }

    @Test func `the common rate is that of the fast transfers while a few slow ones remain`() {
        #expect(common(ended: [Double](repeating: 90, count: 20), underWay: [0.06, 0.06, 0.06, 0.06]) == 90)
    }

    @Test func `The common rate is low as soon as two thirds of the transfers that began last are slow`() {
        let fast = [Double](repeating: 90, count: PeerRates.countMax)
        #expect(common(ended: fast, underWay: [Double](repeating: 0.06, count: 8)) == 90)
        #expect(common(ended: fast, underWay: [Double](repeating: 0.06, count: 16)) == 0.06)
    }

    @Test func `Slow transfers that are left over don't become the rule while fast ones have begun between them`() {
        var rates = PeerRates()
        var slow: [PeerRates.Sample] = []
        for index in 0..<100 {
            let begin = start + .milliseconds(index)
            if index % 10 == 0 {
                slow.append((64_000, begin))
            } else {
                rates.noteEnd(byteCount: 4 << 20, time: .milliseconds(45), start: begin, now: begin + .milliseconds(67))
            }
        }
        rates.update(inFlight: slow, now: start + .seconds(6))
        #expect(rates.common > 1e6)
    }

    @Test func `the common rate forgets transfers that ended seconds ago`() {
        #expect(common(ended: [90, 90], seconds: 19.9) == 90)
        #expect(common(ended: [90, 90], seconds: 20) == 1)
    }

    @Test func `the common rate ignores transfers in one piece`() {
        var rates = PeerRates()
        rates.noteEnd(byteCount: PeerRates.byteCountMin - 1, time: .seconds(1), start: start, now: start)
        rates.update(inFlight: [], now: start)
        #expect(rates.common == PeerRates.assumed)
    }
}

@Suite struct `A transfer's slowness` {
    /// Transfers of 4 MiB that begin at the same time, and the rule that looks at them every 10 ms.
    private struct Simulation {
        let start = RunningClock.now
        let rates: [@Sendable (Duration) -> Double]
        var missing: [Int]
        var progress: [Progress]
        var peers = PeerRates()

        /// Creates a simulation with one transfer per rate.
        ///
        /// - Parameter rates: The bytes per second of each transfer at a time.
        init(_ rates: [@Sendable (Duration) -> Double]) {
            self.rates = rates
            missing = rates.map { _ in 4 << 20 }
            progress = rates.map { [start] _ in Progress(now: start) }
        }

        /// Returns the transfers that were found slow, and the milliseconds until then.
        mutating func slow(within milliseconds: Int) -> [Int: Int] {
            var found: [Int: Int] = [:]
            for time in stride(from: 10, through: milliseconds, by: 10) {
                let now = start + .milliseconds(time)
                for index in rates.indices where missing[index] > 0 {
                    let count = min(missing[index], Int(rates[index](.milliseconds(time)) / 100))
                    guard count > 0 else { continue }
                    progress[index].receive(count, now: now)
                    missing[index] -= count
                    if missing[index] == 0 {
                        peers.noteEnd(byteCount: 4 << 20, time: now - start - .milliseconds(10), start: start, now: now)
                    }
                }
                let underWay = rates.indices.filter { missing[$0] > 0 }
                peers.update(
                    inFlight: underWay.compactMap { progress[$0].rate(now: now).map { ($0, start) } }, now: now)
                for index in underWay where found[index] == nil {
                    let isSlow = progress[index].isSlow(
                        missingByteCount: missing[index], peerRate: peers.common, hedgeDelay: .milliseconds(20),
                        timeoutFactor: 1, now: now)
                    if isSlow == true { found[index] = time }
                }
            }
            return found
        }
    }

    private func constant(_ bytesPerSecond: Double) -> @Sendable (Duration) -> Double { { _ in bytesPerSecond } }

    @Test(arguments: [1, 4, 16])
    func `a slow transfer is found within a fifth of a second, during its peers or after their end`(peerRate: Int) {
        let peers = (0..<15).map { _ in constant(Double(peerRate) * 10e6) }
        var simulation = Simulation(peers + [constant(64_000)])
        let found = simulation.slow(within: 1_000)
        #expect(found.keys.elementsEqual([15]) && found[15]! <= 200)
    }

    @Test func `a slow transfer that begins later is found`() {
        let peers = (0..<15).map { _ in constant(4e6) }
        var simulation = Simulation(peers + [{ $0 < .milliseconds(400) ? 4e6 : 64_000 }])
        let found = simulation.slow(within: 1_000)
        #expect(found.keys.elementsEqual([15]) && (400...700).contains(found[15]!))
    }

    @Test(arguments: [64_000, 1e6, 90e6])
    func `no transfer counts as slow if all are equally slow`(rate: Double) {
        var simulation = Simulation((0..<16).map { _ in constant(rate) })
        #expect(simulation.slow(within: 5_000).isEmpty)
    }

    @Test func `no transfer counts as slow if all become slow together`() {
        var simulation = Simulation((0..<16).map { _ in { $0 < .milliseconds(300) ? 10e6 : 64_000 } })
        #expect(simulation.slow(within: 5_000).isEmpty)
    }

    @Test func `a transfer does not count as slow if too little is missing for another request`() {
        // All but 4,000 bytes arrive as fast as in other transfers.
        var simulation = Simulation(
            (0..<15).map { _ in constant(4e6) } + [{ $0 <= .milliseconds(1_040) ? 4_029_292 : 64_000 }])
        #expect(simulation.slow(within: 2_000).isEmpty)
    }

    /// Rates that differ by a factor of three, and change all the time.
    @Test(arguments: 0..<20 as Range<UInt64>)
    func `no transfer counts as slow if rates differ as those of real connections do`(seed: UInt64) {
        let rates = (0..<16).map { index -> @Sendable (Duration) -> Double in
            { time in
                var generator = SeededGenerator(
                    seed: seed << 32 + UInt64(index) << 16 + UInt64(time / .milliseconds(10)))
                return Double.random(in: 3e6...9e6, using: &generator)
            }
        }
        var simulation = Simulation(rates)
        #expect(simulation.slow(within: 5_000).isEmpty, "seed \(seed)")
    }

    @Test func `no transfer counts as slow before it has peers and enough bytes for a comparison`() {
        let start = RunningClock.now
        var progress = Progress(now: start)
        progress.receive(100, now: start)
        let verdicts = [(0.0, 10_000), (1e6, 200), (1e6, 300), (90e6, 40), (90e6, 50)].map { peerRate, milliseconds in
            var progress = progress
            return progress.isSlow(
                missingByteCount: 1 << 20, peerRate: peerRate, hedgeDelay: .milliseconds(20), timeoutFactor: 1,
                now: start + .milliseconds(milliseconds))
        }
        #expect(verdicts == [nil, nil, true, nil, true])
    }

    @Test func `a slow transfer is found later with each hedge`() {
        let start = RunningClock.now
        var progress = Progress(now: start)
        progress.receive(100, now: start)
        let verdicts = [190, 200].map { milliseconds in
            progress.isSlow(
                missingByteCount: 1 << 20, peerRate: 90e6, hedgeDelay: .milliseconds(20), timeoutFactor: 4,
                now: start + .milliseconds(milliseconds))
        }
        #expect(verdicts == [nil, true])
    }
}
