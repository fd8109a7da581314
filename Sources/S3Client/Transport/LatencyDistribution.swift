internal import Histogram

/// How long answers took, exact to a hundredth.
public struct LatencyDistribution: Sendable {
    /// Longer ones count as this: no attempt is given more time by default.
    private static let microsecondsMax: UInt64 = 600_000_000

    /// In microseconds.
    private var histogram = Histogram<UInt64>(
        highestTrackableValue: microsecondsMax, numberOfSignificantValueDigits: .two)
    /// All of them together.
    public private(set) var sum: Duration = .zero

    /// How many answers there were.
    public var count: Int { Int(clamping: histogram.totalCount) }

    /// The time that so many percent of the answers didn't exceed; `nil` where there were none.
    public func percentile(_ percent: Double) -> Duration? {
        count == 0 ? nil : .microseconds(Int64(clamping: histogram.valueAtPercentile(percent)))
    }

    /// How many answers took less than a millisecond, how many up to two, up to four, and so on in powers of two; the last
    /// number is of all that took longer. They are exact to a hundredth of where one ends and the next begins.
    public var countsByOctave: [Int] {
        var counts = [Int](repeating: 0, count: Self.octaveCount)
        for step in histogram.recordedValues() {
            let milliseconds = step.value / 1_000
            let octave = UInt64.bitWidth - milliseconds.leadingZeroBitCount
            counts[min(octave, Self.octaveCount - 1)] += Int(clamping: step.count)
        }
        return counts
    }

    /// Up to 32.8 s: reads end after 60 s by default, and few are that patient.
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
