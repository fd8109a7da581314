internal import Histogram

/// The distribution of response times, with a resolution of one percent.
public struct LatencyDistribution: Sendable {
    /// The maximum time that is recorded. No attempt is longer by default.
    private static let microsecondsMax: UInt64 = 600_000_000

    /// The times in microseconds.
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: microsecondsMax, numberOfSignificantValueDigits: .two)
    /// The sum of all times.
    public private(set) var sum: Duration = .zero

    /// The number of responses.
    public var count: Int { Int(clamping: histogram.totalCount) }

    /// Returns the time that a percentage of the responses did not exceed; `nil` without responses.
    public func percentile(_ percent: Double) -> Duration? {
        count == 0 ? nil : .microseconds(Int64(clamping: histogram.valueAtPercentile(percent)))
    }

    /// The number of responses by time: less than a millisecond, up to two, up to four, and so on in powers of two; the
    /// last number is that of all longer ones. The boundaries have a resolution of one percent.
    public var countsByOctave: [Int] {
        var counts = [Int](repeating: 0, count: Self.octaveCount)
        for step in histogram.recordedValues() {
            let milliseconds = step.value / 1_000
            let octave = UInt64.bitWidth - milliseconds.leadingZeroBitCount
            counts[min(octave, Self.octaveCount - 1)] += Int(clamping: step.count)
        }
        return counts
    }

    /// The number of intervals, up to 32.8 s. Reads end after 60 s by default.
    public static let octaveCount = 17

    mutating func record(_ time: Duration) {
        sum += time
        histogram.record(min(UInt64(max(time / .microseconds(1), 0)), Self.microsecondsMax))
    }

    mutating func add(_ other: LatencyDistribution) {
        sum += other.sum
        histogram.add(other.histogram)
    }
}
