/// The counts up to a moment, and the gauges at that moment.
package struct HistorySample: Hashable, Sendable {
    /// The time since the start.
    package let seconds: Double
    /// The counts, in the order of the cases of `HistoryCount`.
    package var counts: [Int]
    /// The times to the first byte of S3's responses, as counts by latency (`LatencyDistribution.countsByOctave`).
    package var getLatencies: [Int]
    package var listLatencies: [Int]
    /// The gauges, in the order of the cases of `HistoryGauge`.
    package var gauges: [Int]

    /// Creates a sample of these values.
    package init(seconds: Double, counts: [Int], getLatencies: [Int], listLatencies: [Int], gauges: [Int]) {
        self.seconds = seconds
        self.counts = counts
        self.getLatencies = getLatencies
        self.listLatencies = listLatencies
        self.gauges = gauges
    }

    /// Merges this sample with an earlier one: counts are the later ones, gauges the higher ones.
    func merged(withEarlier earlier: HistorySample) -> HistorySample {
        var merged = self
        merged.gauges = zip(gauges, earlier.gauges).map { max($0, $1) }
        return merged
    }
}

/// The samples of a process's whole life. At first there is one per second; when the limit is reached, each two are
/// merged into one, and later ones come half as often.
package struct History: Sendable {
    /// The most samples, an even number. A chart is no wider than some hundred points; at 650 bytes a sample (61
    /// numbers in four arrays), they use 330 kB.
    package static let sampleCountMax = 512

    package private(set) var samples: [HistorySample] = []
    /// The interval between samples, in seconds.
    package private(set) var period = 1

    /// Adds the next sample.
    mutating func append(_ sample: HistorySample) {
        samples.append(sample)
        guard samples.count == History.sampleCountMax else { return }
        samples = stride(from: 0, to: samples.count, by: 2).map {
            samples[$0 + 1].merged(withEarlier: samples[$0])
        }
        period *= 2
    }
}
