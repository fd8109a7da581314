import MountControl
import TestSupport
import Testing

@testable import Reporting

/// The samples of a process's whole life.
@Suite("The history of a mount") struct HistoryTests {
    private func sample(_ second: Int, gauge: Int = 0) -> HistorySample {
        HistorySample(
            seconds: Double(second), counts: HistoryCount.allCases.map { _ in second * 10 },
            getLatencies: [second], listLatencies: [0], gauges: [gauge])
    }

    @Test(arguments: [1, 511, 512, 513, 1_023, 1_024, 5_000, 100_000])
    func `a history covers its whole time evenly, within its limit of samples`(secondCount: Int) {
        var history = History()
        var second = 0
        while second + history.period <= secondCount {
            second += history.period
            history.append(sample(second))
        }
        #expect(history.samples.count < History.sampleCountMax)
        #expect(history.samples.last?.seconds == Double(second))
        // Samples are one period apart, and have the counts of their time.
        for (index, sample) in history.samples.enumerated() {
            #expect(sample.seconds == Double((index + 1) * history.period))
            #expect(sample == self.sample(Int(sample.seconds)))
        }
        if secondCount > 600 { #expect(history.samples.count >= History.sampleCountMax / 2 - 1) }
    }

    @Test func `a merged sample of a history has the highest gauges`() {
        let seed = UInt64.random(in: 0...(.max))
        var random = SeededGenerator(seed: seed)
        var (history, gauges) = (History(), [Int]())
        for second in 1...3_000 {
            gauges.append(Int.random(in: 0...1_000, using: &random))
            history.append(sample(second, gauge: gauges[second - 1]))
        }
        // Merged samples cover consecutive seconds.
        var start = 0
        for sample in history.samples {
            let end = Int(sample.seconds)
            #expect(sample.gauges[0] == gauges[start..<end].max(), "seed \(seed)")
            start = end
        }
        #expect(start == 3_000)
    }

    // MARK: Steps of a chart

    private func history(_ seconds: [Double], period: Int = 1) -> MountReport.History {
        let column = seconds.indices.map { ($0 + 1) * 100 }
        var history = MountReport.History()
        history.periodSeconds = period
        history.seconds = seconds
        history.counts = NamedValues(HistoryCount.allCases.map { (name: $0.rawValue, value: column) })
        history.gauges = NamedValues(HistoryGauge.allCases.map { (name: $0.rawValue, value: column) })
        return history
    }

    @Test(arguments: [1, 2, 5, 239, 240, 241, 511], [0.0, 0.001, 0.9])
    func `a timeline has no more steps than the limit, and loses no count`(count: Int, rest: Double) {
        let history = history((1...count).map { Double($0) } + (rest > 0 ? [Double(count) + rest] : []))
        let timeline = Timeline(history, stepCountMax: 240)
        #expect((1...240).contains(timeline.stepCount))
        #expect(timeline.edges.first == 0 && timeline.edges.last == history.seconds.last)
        #expect(zip(timeline.edges, timeline.edges.dropFirst()).allSatisfy { $0 < $1 })
        let column = history[.reads]
        #expect(timeline.increments(of: column).reduce(0, +) == column.last)
        #expect(timeline.peaks(of: column).last == column.last)
        // A last sample that was taken just after the one before makes no peak.
        #expect(timeline.rates(of: column).allSatisfy { $0 <= 200.1 })
    }

    @Test func `the timeline of a new mount has one step`() {
        let timeline = Timeline(history([0.0]), stepCountMax: 240)
        #expect(timeline.stepCount == 1 && timeline.rates(of: [5]).allSatisfy { $0.isFinite })
    }
}
