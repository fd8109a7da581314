/// A line or an area of a chart.
struct ChartSeries {
    let name: String
    /// The CSS class that sets the color.
    let style: String
    /// A value for each step; `nil` if there is none.
    let values: [Double?]

    init(_ name: String, _ style: String, _ values: [Double?]) {
        self.name = name
        self.style = style
        self.values = values
    }

    /// Returns the legend of the colors.
    static func legend(_ series: [ChartSeries]) -> Markup {
        let items: [Markup] = series.map { "<li class=\"\($0.style)\"><i></i>\($0.name)</li>" }
        return "<ul class=\"legend\">\(items)</ul>"
    }
}

/// A chart of stacked areas: the parts of a whole over time.
struct StackedChart {
    let series: [ChartSeries]
    let timeline: Timeline
    let frame: ChartFrame
    /// Returns the text of a value for the tooltip.
    let text: (Double) -> String

    /// Returns the highest sum.
    static func largest(_ series: [ChartSeries]) -> Double {
        sums(series).max() ?? 0
    }

    private static func sums(_ series: [ChartSeries]) -> [Double] {
        (series.first?.values.indices).map { $0.map { step in series.reduce(0) { $0 + ($1.values[step] ?? 0) } } } ?? []
    }

    var markup: Markup {
        var bottoms = [Double](repeating: 0, count: timeline.stepCount)
        let areas: [Markup] = series.map { series in
            let tops = zip(bottoms, series.values).map { $0 + ($1 ?? 0) }
            defer { bottoms = tops }
            return "<path class=\"area \(series.style)\" d=\"\(outline(tops, bottoms))\" />"
        }
        return frame.chart(areas + [hints])
    }

    /// Returns the outline: along the tops from left to right, and back along the bottoms.
    private func outline(_ tops: [Double], _ bottoms: [Double]) -> Markup {
        let edges = timeline.edges.map(frame.x)
        let there: [Markup] = tops.enumerated().map { "V\(frame.y($1))H\(edges[$0 + 1])" }
        let back: [Markup] = bottoms.enumerated().reversed().map { "V\(frame.y($1))H\(edges[$0])" }
        return "M\(edges[0]) \(frame.floor)\(there)\(back)Z"
    }

    /// The tooltips of the steps.
    private var hints: Markup {
        let sums = StackedChart.sums(series)
        let hints: [Markup] = (0..<timeline.stepCount).filter { sums[$0] > 0 }.map { step in
            let values = series.map { "\($0.name) \(text($0.values[step] ?? 0))" }.joined(separator: ", ")
            let (start, end) = (timeline.edges[step], timeline.edges[step + 1])
            return """
                <rect x="\(frame.x(start))" y="\(frame.ceiling)" width="\(frame.x(end) - frame.x(start))" \
                height="\(frame.floor - frame.ceiling)"><title>\(frame.axis.clock(start)): \(values)</title></rect>
                """
        }
        return "<g class=\"hints\">\(hints)</g>"
    }
}

/// A chart of lines over time.
struct LineChart {
    let series: [ChartSeries]
    let timeline: Timeline
    let frame: ChartFrame

    var markup: Markup {
        frame.chart(
            series.map {
                "<path class=\"line \($0.style)\" d=\"\(LineChart.path($0.values, timeline, frame.x, frame.y))\" />"
            })
    }

    /// Returns the path of a level line per step, joined to the next; it is broken at missing values.
    static func path(
        _ values: [Double?], _ timeline: Timeline, _ x: (Double) -> Double, _ y: (Double) -> Double
    ) -> Markup {
        var isDrawing = false
        let pieces: [Markup] = values.enumerated().map { step, value in
            guard let value else {
                isDrawing = false
                return ""
            }
            defer { isDrawing = true }
            let end = x(timeline.edges[step + 1])
            return isDrawing ? "V\(y(value))H\(end)" : "M\(x(timeline.edges[step])) \(y(value))H\(end)"
        }
        return Markup(pieces)
    }
}
