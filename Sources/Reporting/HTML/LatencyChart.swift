/// The latency of responses over time: the darker a field, the more responses had that latency. The steps of the
/// vertical axis are powers of two milliseconds.
struct LatencyChart {
    private let timeline: Timeline
    /// The counts of responses by latency, for each step of the timeline (`LatencyDistribution.countsByOctave`).
    private let counts: [[Int]]
    private let frame: ChartFrame
    /// The octaves shown.
    private let octaves: Range<Int>

    /// Creates the chart; `nil` if there are no responses.
    init?(_ name: String, _ columns: [[Int]], _ timeline: Timeline, _ axis: TimeAxis) {
        let increments = columns.map(timeline.increments)
        counts = (0..<timeline.stepCount).map { step in increments.map { $0[step] } }
        let used = columns.indices.filter { (columns[$0].last ?? 0) > 0 }
        guard let first = used.first, let last = used.last else { return nil }
        // At least four octaves, so that a single one doesn't fill the chart.
        octaves = min(first, max(columns.count - 4, 0))..<min(max(last + 1, first + 4), columns.count)
        self.timeline = timeline
        frame = ChartFrame(
            name, isWide: false, axis: axis, scale: .octaves(octaves, labels: LatencyChart.bounds(columns.count)))
    }

    /// Returns the lower bounds of the octaves, in milliseconds.
    private static func bounds(_ count: Int) -> [String] {
        (0...count).map { octave in
            if octave == 0 { return "0" }
            let milliseconds = 1 << (octave - 1)
            return milliseconds < 1_000 ? "\(milliseconds)" : "\(Readable.count(milliseconds))"
        }
    }

    var markup: Markup {
        frame.chart(
            [cells]
                + [("line median", 0.5), ("line p99", 0.99)].map { style, part -> Markup in
                    let values = counts.map {
                        LatencyChart.position($0, of: part).map { $0 - Double(octaves.lowerBound) }
                    }
                    return "<path class=\"\(style)\" d=\"\(LineChart.path(values, timeline, frame.x, frame.y))\" />"
                })
    }

    private var cells: Markup {
        let largest = counts.flatMap { $0 }.max() ?? 1
        let cells: [Markup] = counts.enumerated().flatMap { step, counts in
            octaves.filter { counts[$0] > 0 }.map { cell(step, $0, counts[$0], largest: largest) }
        }
        return "<g class=\"heat\">\(cells)</g>"
    }

    private func cell(_ step: Int, _ octave: Int, _ count: Int, largest: Int) -> Markup {
        let level = Double(octave - octaves.lowerBound)
        let (left, right) = (frame.x(timeline.edges[step]), frame.x(timeline.edges[step + 1]))
        let bounds = LatencyChart.bounds(counts[step].count)
        // The darkness follows the order of magnitude, so that one response is visible beside a thousand.
        let darkness = 0.15 + 0.85 * LatencyChart.magnitude(count) / max(LatencyChart.magnitude(largest), 1)
        return """
            <rect x="\(left)" y="\(frame.y(level + 1))" width="\(right - left)" \
            height="\(frame.y(level) - frame.y(level + 1))" fill-opacity="\(Decimals.text(darkness, 2))">\
            <title>\(frame.axis.clock(timeline.edges[step])): \(Readable.count(count)) from \(bounds[octave]) ms on</title></rect>
            """
    }

    /// Returns the number of bits of `count + 1`, which is its order of magnitude.
    private static func magnitude(_ count: Int) -> Double {
        Double(Int.bitWidth - (count + 1).leadingZeroBitCount)
    }

    /// Returns the position in the octaves at which this part of the responses ends, assuming an even spread within
    /// each; `nil` without responses.
    static func position(_ counts: [Int], of part: Double) -> Double? {
        let total = counts.reduce(0, +)
        guard total > 0 else { return nil }
        var rest = part * Double(total)
        for (octave, count) in counts.enumerated() where count > 0 {
            if rest <= Double(count) { return Double(octave) + max(rest, 0) / Double(count) }
            rest -= Double(count)
        }
        return Double(counts.count)
    }
}

extension ValueScale {
    /// Returns a scale with a step for each power of two milliseconds.
    fileprivate static func octaves(_ octaves: Range<Int>, labels: [String]) -> ValueScale {
        ValueScale(
            top: Double(octaves.count),
            ticks: octaves.indices.map { ($0, labels[$0]) }.map { (Double($0.0 - octaves.lowerBound), $0.1) }
                + [(Double(octaves.count), octaves.upperBound == labels.count - 1 ? "" : labels[octaves.upperBound])],
            title: "ms")
    }
}
