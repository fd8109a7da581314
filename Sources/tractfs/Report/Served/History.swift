/// What was counted up to a moment, and how much there was of what goes up and down.
struct HistorySample: Hashable, Sendable {
    /// Since the start.
    let seconds: Double
    /// By `HistoryCount`, in the order of its cases.
    var counts: [Int]
    /// How long S3 took to begin an answer: how many took how long (`LatencyDistribution.countsByOctave`).
    var getLatencies: [Int]
    var listLatencies: [Int]
    /// By `HistoryGauge`.
    var gauges: [Int]

    /// One sample for this one and an earlier one: counts have grown since, the others were higher at one of the two.
    func merged(withEarlier earlier: HistorySample) -> HistorySample {
        var merged = self
        merged.gauges = zip(gauges, earlier.gauges).map { max($0, $1) }
        return merged
    }
}

/// The samples of a process's whole life: at first one each second; whenever there are as many as there may be, each two become
/// one, and the next ones come half as often.
struct History: Sendable {
    /// How many there are at most, an even number. A chart is not wider than some hundred points; at 650 bytes a sample (61
    /// numbers in four arrays), they take 330 kB.
    static let sampleCountMax = 512

    private(set) var samples: [HistorySample] = []
    /// How far samples lie apart, in seconds.
    private(set) var period = 1

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
