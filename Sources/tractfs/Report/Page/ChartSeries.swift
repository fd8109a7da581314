/// A line or an area of a chart.
struct ChartSeries {
    let name: String
    /// A class of the page's style that says which colour it has.
    let style: String
    /// A value for each step; `nil` where there is none.
    let values: [Double?]

    init(_ name: String, _ style: String, _ values: [Double?]) {
        self.name = name
        self.style = style
        self.values = values
    }

    /// Which colours mean what.
    static func legend(_ series: [ChartSeries]) -> Markup {
        let items: [Markup] = series.map { "<li class=\"\($0.style)\"><i></i>\($0.name)</li>" }
        return "<ul class=\"legend\">\(items)</ul>"
    }
}

/// Areas one on top of the other: the parts of a whole, over time.
struct StackedChart {
    let series: [ChartSeries]
    let timeline: Timeline
    let frame: ChartFrame
    /// How a value is told of where somebody points at it.
    let text: (Double) -> String

    /// The highest of the sums.
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

    /// Along the tops from left to right, and back along the bottoms.
    private func outline(_ tops: [Double], _ bottoms: [Double]) -> Markup {
        let edges = timeline.edges.map(frame.x)
        let there: [Markup] = tops.enumerated().map { "V\(frame.y($1))H\(edges[$0 + 1])" }
        let back: [Markup] = bottoms.enumerated().reversed().map { "V\(frame.y($1))H\(edges[$0])" }
        return "M\(edges[0]) \(frame.floor)\(there)\(back)Z"
    }

    /// What each step says to who points at it.
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

/// Lines over time.
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

    /// A level line for each step, joined to the next one's; broken where there is no value.
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
