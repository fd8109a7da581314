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

    mutating func record(_ time: Duration) {
        sum += time
        histogram.record(min(UInt64(max(time / .microseconds(1), 0)), Self.microsecondsMax))
    }

    mutating func add(_ other: LatencyDistribution) {
        sum += other.sum
        histogram.add(other.histogram)
    }
}
