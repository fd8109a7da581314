import ObjectStore
import SystemSupport

/// The charts of a page.
struct ReportCharts {
    private let history: MountReport.History
    private let start: Timestamp
    private let timeline: Timeline
    private let axis: TimeAxis
    /// The timeline of charts of half the width.
    private let narrow: Timeline

    init(_ report: MountReport, start: Timestamp) {
        history = report.history
        self.start = start
        timeline = Timeline(history, stepCountMax: 240)
        narrow = Timeline(history, stepCountMax: 120)
        axis = TimeAxis(start: start, seconds: timeline.edges[timeline.edges.count - 1])
    }

    var markup: Markup {
        """
        <section>
        <h2>Over time</h2>
        <div class="charts">
        \([throughput, fromS3, hitRate, requests, kernelRequests, firstByte("GET", history.getFirstByteCounts),
           firstByte("LIST", history.listFirstByteCounts), load, memory, errors])
        </div>
        </section>
        """
    }

    private func figure(
        _ title: String, _ remark: String, _ legend: Markup, _ chart: Markup?, isWide: Bool = false
    )
        -> Markup
    {
        let body: Markup = chart.map { "\(legend)\n\($0)" } ?? "<p class=\"none\">None yet.</p>"
        return """
            <figure class="\(isWide ? "wide" : "half")">
            <figcaption><h3>\(title)</h3><p>\(remark)</p></figcaption>
            \(body)
            </figure>
            """
    }

    // MARK: Areas

    private func stacked(
        _ title: String, _ remark: String, _ counts: [(name: String, style: String, column: [Int])],
        isWide: Bool = false, factor: Double = 1, scale: (Double) -> ValueScale, text: @escaping (Double) -> String
    ) -> Markup {
        let timeline = isWide ? timeline : narrow
        let series = counts.map { count in
            ChartSeries(count.name, count.style, timeline.rates(of: count.column).map { $0 * factor })
        }
        let largest = StackedChart.largest(series)
        let frame = ChartFrame(title, isWide: isWide, axis: axis, scale: scale(largest))
        let chart = StackedChart(series: series, timeline: timeline, frame: frame, text: text)
        return figure(
            title, remark, ChartSeries.legend(series), largest > 0 ? chart.markup : nil, isWide: isWide)
    }

    private static func bytesPerSecond(_ value: Double) -> String { "\(Readable.bytes(Int(value)))/s" }
    private static func perSecond(_ value: Double) -> String { "\(Decimals.text(value, value < 10 ? 1 : 0))/s" }

    private var throughput: Markup {
        stacked(
            "What programs read", "Bytes that reads were answered with, by where they came from.",
            [
                ("from S3", "s3", history[.s3Bytes]), ("from the disk cache", "disk", history[.diskCacheBytes]),
                ("from memory, again", "memory", history[.memoryCacheBytes]),
            ], isWide: true, scale: ValueScale.bytesPerSecond, text: ReportCharts.bytesPerSecond)
    }

    private var fromS3: Markup {
        stacked(
            "What S3 sent", "Bytes received: also those that are read ahead, and listings.",
            [("GET", "get", history[.getReceivedBytes]), ("LIST", "list", history[.listReceivedBytes])],
            scale: ValueScale.bytesPerSecond, text: ReportCharts.bytesPerSecond)
    }

    /// Returns the numbers of first attempts among all requests sent.
    private func firstAttempts(_ sent: HistoryCount, _ retries: HistoryCount, _ hedges: HistoryCount) -> [Int] {
        history[sent].indices.map { max(history[sent][$0] - history[retries][$0] - history[hedges][$0], 0) }
    }

    private func sum(_ counts: [HistoryCount]) -> [Int] {
        history.seconds.indices.map { index in counts.reduce(0) { $0 + history[$1][index] } }
    }

    private var requests: Markup {
        stacked(
            "Requests to S3", "HTTP requests that were sent, which S3 bills.",
            [
                ("GET", "get", firstAttempts(.getSent, .getRetries, .getHedges)),
                ("LIST", "list", firstAttempts(.listSent, .listRetries, .listHedges)),
                ("again, or beside a late one", "again", sum([.getRetries, .getHedges, .listRetries, .listHedges])),
            ], scale: { ValueScale.number($0, "requests/s") }, text: ReportCharts.perSecond)
    }

    private var kernelRequests: Markup {
        stacked(
            "What the kernel asked for", "Requests of programs that the kernel couldn't answer by itself.",
            [
                ("reads", "get", history[.reads]), ("lookups of names", "list", history[.lookups]),
                ("opens", "s3", history[.opens]),
            ], scale: { ValueScale.number($0, "requests/s") }, text: ReportCharts.perSecond)
    }

    private var errors: Markup {
        stacked(
            "Errors", "What attempts met, be it that the next one succeeded; reads that failed.",
            [
                ("GET", "get", history[.getErrors]), ("LIST", "list", history[.listErrors]),
                ("failed reads", "again", history[.readsFailed]),
            ], factor: 60, scale: { ValueScale.number($0, "errors/min") },
            text: { "\(Decimals.text($0, $0 < 10 ? 1 : 0))/min" })
    }

    // MARK: Lines

    private func lines(_ title: String, _ remark: String, _ series: [ChartSeries], _ scale: ValueScale) -> Markup {
        let frame = ChartFrame(title, isWide: false, axis: axis, scale: scale)
        let chart = LineChart(series: series, timeline: narrow, frame: frame)
        let isEmpty = series.allSatisfy { $0.values.allSatisfy { $0 == nil } }
        return figure(title, remark, ChartSeries.legend(series), isEmpty ? nil : chart.markup)
    }

    /// Returns the share of a whole in each step; `nil` for an empty whole.
    private func percent(_ part: [HistoryCount], of whole: [HistoryCount]) -> [Double?] {
        let (parts, wholes) = (narrow.increments(of: sum(part)), narrow.increments(of: sum(whole)))
        return zip(parts, wholes).map { $1 == 0 ? nil : min(100 * Double($0) / Double($1), 100) }
    }

    private var hitRate: Markup {
        let caches = percent(
            [.diskCacheBytes, .memoryCacheBytes], of: [.s3Bytes, .diskCacheBytes, .memoryCacheBytes])
        let waited = percent([.readsWaited], of: [.reads])
        return lines(
            "Hit rates",
            "Bytes that were there from before; reads that were answered at once, from caches or read ahead.",
            [
                ChartSeries("bytes from the caches", "memory", caches),
                ChartSeries("reads that didn't wait", "get", waited.map { $0.map { 100 - $0 } }),
            ], .percent)
    }

    private func gauges(_ gauges: [(name: String, style: String, gauge: HistoryGauge)]) -> [ChartSeries] {
        gauges.map { ChartSeries($0.name, $0.style, narrow.peaks(of: history[$0.gauge]).map { Double($0) }) }
    }

    private static func largest(_ series: [ChartSeries]) -> Double {
        series.flatMap { $0.values.compactMap(\.self) }.max() ?? 0
    }

    private var load: Markup {
        let series = gauges([
            ("under way", "get", .inFlight), ("waiting", "again", .waiting), ("open files", "memory", .openFiles),
        ])
        return lines(
            "Requests to S3 at a time", "The highest of the samples in each step; and files that programs have open.",
            series, .number(max(ReportCharts.largest(series), 1), "at a time"))
    }

    private var memory: Markup {
        let series = gauges([
            ("the whole process", "ink", .processBytes), ("file contents", "get", .blockBytes),
            ("listings", "list", .metadataBytes),
        ])
        return lines(
            "Memory", "What the serving process takes, and what of it is for what.", series,
            .bytes(ReportCharts.largest(series)))
    }

    // MARK: Latency

    private func firstByte(_ kind: String, _ columns: [[Int]]) -> Markup {
        let title = "Time to the first byte of a \(kind)"
        let chart = LatencyChart(title, columns, narrow, axis)
        return figure(
            title, "The darker a field, the more answers took that long. From the beginning of an attempt.",
            """
            <ul class="legend"><li class="median"><i></i>median</li><li class="p99"><i></i>99th percentile</li></ul>
            """, chart?.markup)
    }
}
