import ObjectStore

/// How long the store has taken lately to begin an answer, and from when on an answer is late.
///
/// Keeps the last few hundred times, so that it follows a store that becomes slower within seconds.
struct LatencyEstimate {
    /// Enough for a 95th percentile that a single outlier doesn't move, few enough to be sorted now and then.
    static let sampleLimit = 256
    /// With fewer samples the 95th percentile is hardly more than the slowest of them.
    static let sampleMinimum = 20
    /// Sorting 256 durations takes some 10 µs; once in so many samples that is nothing.
    private static let refreshInterval = 16
    /// Less is not worth a second request: it is what S3's fastest answers take, and what a busy machine loses at times.
    static let floor: Duration = .milliseconds(20)
    /// Where all answers are equally fast, one in twenty is still slower than the 95th percentile, and nothing is gained
    /// by asking again. Slow answers of S3 take ten times the median.
    static let medianMultiple = 2

    /// How long to wait for the very first answer: several times what S3 takes for one, a connection with TLS included.
    static let firstLateAfter: Duration = .seconds(1)
    /// An answer is late that takes so many times as long as the median, whatever others took: where one in twenty stalls, the
    /// 95th percentile would be as long as anybody has waited, and grow with each wait. A reader has used up what is read ahead
    /// in some 130 ms: what is late should be known by then.
    static let medianMultipleMax = 4
    /// At least so long, while there are few samples: what even a busy machine and a new connection seldom take.
    static let earlyFloor: Duration = .milliseconds(150)

    /// An answer that takes so many times as long as the slowest one that did come is taken not to come.
    static let slowestMultiple = 2

    private struct Sample {
        let time: Duration
        /// Whether there was an answer, rather than an end of waiting for one.
        let hasAnswer: Bool
    }

    /// The last samples; a ring once it is full.
    private var samples: [Sample] = []
    /// The oldest sample of a full ring.
    private var oldestIndex = 0
    private var newCount = 0

    /// How long to wait for the first bytes of an answer before it is late: the 95th percentile, but two to four times the
    /// median, and at least `floor`. While little is known, four times the median.
    private(set) var lateAfter = firstLateAfter
    /// How long to wait until it is overdue, and most likely won't come: twice as long as any of the
    /// answers took. What wasn't waited for doesn't count, so that stalls don't make each other look like answers.
    private(set) var overdueAfter = firstLateAfter

    /// What watches an attempt that begins now.
    func lateness(from now: RunningClock.Instant) -> Lateness {
        Lateness(after: lateAfter, overdueAfter: overdueAfter, now: now)
    }

    /// Notes how long an answer's first bytes took.
    ///
    /// - Parameter hasAnswer: `false` where they were not waited for any longer.
    mutating func record(_ time: Duration, hasAnswer: Bool = true) {
        let sample = Sample(time: time, hasAnswer: hasAnswer)
        if samples.count < Self.sampleLimit {
            samples.append(sample)
        } else {
            samples[oldestIndex] = sample
            oldestIndex = (oldestIndex + 1) % Self.sampleLimit
        }
        guard samples.count >= Self.sampleMinimum else {
            let times = samples.map(\.time).sorted()
            lateAfter = max(times[times.count / 2] * Self.medianMultipleMax, Self.earlyFloor)
            overdueAfter = lateAfter
            return
        }
        newCount += 1
        guard samples.count == Self.sampleMinimum || newCount >= Self.refreshInterval else { return }
        newCount = 0
        lateAfter = lateness(of: samples.map(\.time).sorted())
        let slowest = samples.lazy.filter(\.hasAnswer).map(\.time).max() ?? .zero
        overdueAfter = max(slowest * Self.slowestMultiple, lateAfter)
    }

    private func lateness(of sorted: [Duration]) -> Duration {
        let median = sorted[sorted.count / 2]
        let percentile95 = sorted[sorted.count * 95 / 100]
        return max(min(percentile95, median * Self.medianMultipleMax), median * Self.medianMultiple, Self.floor)
    }
}
