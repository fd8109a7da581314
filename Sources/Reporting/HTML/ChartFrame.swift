/// The axes of a chart, and the mapping of values to positions. In all charts time runs from left to right.
struct ChartFrame {
    let width: Double
    let height: Double
    let axis: TimeAxis
    private let scale: ValueScale
    /// The accessible description of the chart.
    private let name: String

    private static let left = 58.0
    private static let right = 12.0
    private static let top = 22.0
    private static let bottom = 38.0
    /// The width of a label of the time axis, with some margin.
    private static let labelWidth = 92.0

    init(_ name: String, isWide: Bool, axis: TimeAxis, scale: ValueScale) {
        self.name = name
        width = isWide ? 1_080 : 528
        height = isWide ? 250 : 220
        self.axis = axis
        self.scale = scale
    }

    func x(_ seconds: Double) -> Double {
        ChartFrame.left + (width - ChartFrame.left - ChartFrame.right) * min(seconds / max(axis.seconds, 0.001), 1)
    }

    func y(_ value: Double) -> Double {
        floor - (floor - ChartFrame.top) * min(max(value / scale.top, 0), 1)
    }

    /// The y coordinate of the lowest value.
    var floor: Double { height - ChartFrame.bottom }
    /// The y coordinate of the highest value.
    var ceiling: Double { ChartFrame.top }

    /// Returns the whole chart around `content`.
    func chart(_ content: [Markup]) -> Markup {
        """
        <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="\(name)">
        \(valueLines)
        \(content)
        \(timeMarks)
        </svg>
        """
    }

    private var valueLines: [Markup] {
        scale.ticks.map { value, label in
            """
            <line class="grid" x1="\(ChartFrame.left)" x2="\(width - ChartFrame.right)" y1="\(y(value))" y2="\(y(value))" />\
            <text class="end" x="\(ChartFrame.left - 6)" y="\(y(value) + 4)">\(label)</text>
            """
        } + ["<text class=\"title\" x=\"4\" y=\"12\">\(scale.title)</text>"]
    }

    private var timeMarks: [Markup] {
        let countMax = max(Int((width - ChartFrame.left - ChartFrame.right) / ChartFrame.labelWidth), 2)
        let ticks = axis.ticks(countMax: countMax)
        let marks: [Markup] = ticks.map { seconds, label in
            "<line class=\"mark\" x1=\"\(x(seconds))\" x2=\"\(x(seconds))\" y1=\"\(floor)\" y2=\"\(floor + 4)\" />"
        }
        // A label centered on its mark must not leave the chart.
        let labels: [Markup] = ticks.map { seconds, label in
            let margin = Double(label.count) * 3.6
            let x = min(max(x(seconds), margin), width - margin)
            return "<text class=\"middle\" x=\"\(x)\" y=\"\(floor + 17)\">\(label)</text>"
        }
        let line: Markup = """
            <line class="axis" x1="\(ChartFrame.left)" x2="\(width - ChartFrame.right)" y1="\(floor)" y2="\(floor)" />\
            <text class="end title" x="\(width - ChartFrame.right)" y="\(floor + 33)">time (UTC)</text>
            """
        return [line] + marks + labels
    }
}
