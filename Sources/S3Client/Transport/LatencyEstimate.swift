/// The time that the store has taken lately to begin a response, and the delay after which a request is hedged.
///
/// Keeps the last few hundred times, so that it follows a store that becomes slower within seconds.
struct LatencyEstimate {
    /// Enough for a 95th percentile that a single outlier doesn't move, few enough to be sorted now and then.
    static let sampleLimit = 256
    /// With fewer samples the 95th percentile is hardly more than the slowest of them.
    static let sampleMinimum = 20
    /// Sorting 256 durations takes some 10 µs; once in so many samples that is nothing.
    private static let refreshInterval = 16
    /// Less is not worth a second request: it is what S3's fastest responses take, and what a busy machine loses at times.
    static let floor: Duration = .milliseconds(20)
    /// If all responses are equally fast, one in twenty is still slower than the 95th percentile, and nothing is gained
    /// by asking again. Slow responses of S3 take ten times the median.
    static let medianMultiple = 2
    /// A request is hedged after so many times the median, whatever others took: where one in twenty stalls, the
    /// 95th percentile would be as long as any request was waited for, and grow with each wait. A reader has used up what is
    /// prefetched in some 130 ms: a stall should be known by then.
    static let medianMultipleMax = 4

    /// The delay before the first response of all: several times what S3 takes for one, a connection with TLS included.
    static let firstHedgeDelay: Duration = .seconds(1)
    /// The least delay while there are few samples: what even a busy machine and a new connection seldom take.
    static let earlyFloor: Duration = .milliseconds(150)

    /// A response that has begun may pause for so many times as long as its beginning may take: in the middle, lost packets and a
    /// crowded network make longer pauses than a slow store.
    static let pauseMultiple = 2
    /// A connection that lost its last packet finds out by a probe after two round trips (tail loss probe, RFC 8985). One that
    /// has to wait for its timer instead, 200 ms (TCP_RTO_MIN of Linux), is worth a second request.
    static let pauseMin: Duration = .milliseconds(100)
    /// However slow the store is otherwise, a response that has begun does not pause for so long.
    static let pauseMax: Duration = .seconds(1)

    /// The last times; a ring once it is full.
    private var times: [Duration] = []
    /// The oldest time of a full ring.
    private var oldestIndex = 0
    private var newCount = 0

    /// The time to wait for the first bytes of a response before the request is hedged: the 95th percentile, but two to four times
    /// the median, and at least `floor`. While little is known, four times the median.
    private(set) var hedgeDelay = firstHedgeDelay

    /// The longest pause once the response has begun.
    var pauseLimit: Duration { max(min(hedgeDelay * Self.pauseMultiple, Self.pauseMax), Self.pauseMin) }

    /// Notes how long a response's first bytes took, or how long they were waited for.
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
