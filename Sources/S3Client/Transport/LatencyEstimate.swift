/// The recent times until the first bytes of responses, and the delay after which a request is hedged.
///
/// Keeps the last few hundred times, so that it adapts to a store that becomes slower within seconds.
struct LatencyEstimate {
    /// The number of samples: enough for a 95th percentile that a single outlier does not change, few enough to be
    /// sorted regularly.
    static let sampleLimit = 256
    /// The minimum number of samples. With fewer, the 95th percentile is hardly more than the slowest of them.
    static let sampleMinimum = 20
    /// The number of samples between updates. Sorting 256 durations takes about 10 µs, which is negligible at this
    /// interval.
    private static let refreshInterval = 16
    /// The minimum delay. Less is not worth a hedge: S3's fastest responses take that long, and a busy machine
    /// sometimes loses as much.
    static let floor: Duration = .milliseconds(20)
    /// The minimum multiple of the median. If all responses are equally fast, one in twenty is still slower than the
    /// 95th percentile, and a hedge gains nothing. Slow responses of S3 take ten times the median.
    static let medianMultiple = 2
    /// The maximum multiple of the median. If one response in twenty stalls, the 95th percentile would be as long as
    /// any request was waited for, and grow with each wait. A reader uses up its prefetched bytes in about 130 ms, in
    /// which a stall should be found.
    static let medianMultipleMax = 4

    /// The delay before the first response: several times the time that S3 takes, including a connection with TLS.
    static let firstHedgeDelay: Duration = .seconds(1)
    /// The minimum delay while there are few samples: even a busy machine and a new connection seldom take longer.
    static let earlyFloor: Duration = .milliseconds(150)

    /// The maximum pause of a response, as a multiple of the time for its beginning: in a body, lost packets and a
    /// crowded network make longer pauses than a slow store.
    static let pauseMultiple = 2
    /// The minimum of that pause. A connection that lost its last packet notices it by a probe after two round trips
    /// (tail loss probe, RFC 8985). One that has to wait for its timer, 200 ms (TCP_RTO_MIN of Linux), is worth a
    /// hedge.
    static let pauseMin: Duration = .milliseconds(100)
    /// The maximum of that pause, however slow the store is.
    static let pauseMax: Duration = .seconds(1)

    /// The last times; a ring buffer when it is full.
    private var times: [Duration] = []
    /// The index of the oldest time in a full ring buffer.
    private var oldestIndex = 0
    private var newCount = 0

    /// The time to wait for the first bytes of a response before the request is hedged: the 95th percentile, but two to
    /// four times the median, and at least `floor`. With few samples, four times the median.
    private(set) var hedgeDelay = firstHedgeDelay

    /// The maximum pause of a response.
    var pauseLimit: Duration { max(min(hedgeDelay * Self.pauseMultiple, Self.pauseMax), Self.pauseMin) }

    /// Records the time until the first bytes of a response, or the time that they were waited for.
    mutating func record(_ time: Duration) {
        if times.count < Self.sampleLimit {
            times.append(time)
        } else {
            times[oldestIndex] = time
            oldestIndex = (oldestIndex + 1) % Self.sampleLimit
        }
        guard times.count >= Self.sampleMinimum else {
            hedgeDelay = max(times.sorted()[times.count / 2] * Self.medianMultipleMax, Self.earlyFloor)
            return
        }
        newCount += 1
        guard times.count == Self.sampleMinimum || newCount >= Self.refreshInterval else { return }
        newCount = 0
        hedgeDelay = Self.hedgeDelay(of: times.sorted())
    }

    private static func hedgeDelay(of sorted: [Duration]) -> Duration {
        let median = sorted[sorted.count / 2]
        let percentile95 = sorted[sorted.count * 95 / 100]
        return max(min(percentile95, median * medianMultipleMax), median * medianMultiple, floor)
    }
}
