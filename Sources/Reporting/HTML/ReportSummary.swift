import MountControl

/// A summary in words and in five numbers.
struct ReportSummary {
    private let report: MountReport
    private var status: MountStatus { report.status }
    private var reads: MountStatus.Reads { report.status.reads }

    init(_ report: MountReport) {
        self.report = report
    }

    var markup: Markup {
        let sentences = [activity, requests, latency, trouble].filter { !$0.isEmpty }
        return """
            <section class="summary">
            <p>\(sentences.joined(separator: " "))</p>
            <div class="tiles">
            \(tiles)
            </div>
            </section>
            """
    }

    // MARK: In words

    private var activity: String {
        let time = Readable.duration(status.sinceSeconds)
        let passthrough =
            status.passthrough.opens > 0
            ? " \(Readable.count(status.passthrough.opens, "open")) \(status.passthrough.opens == 1 ? "was" : "were") answered "
                + "with a file of the disk cache, which the kernel reads by itself: how much isn't known." : ""
        guard reads.byteCount > 0 else { return "In \(time), nothing was read through tractfs.\(passthrough)" }
        let fileCount = report.access.fileCount + report.access.droppedFiles
        return "In \(time), programs read \(Readable.bytes(reads.byteCount)) of \(Readable.count(fileCount, "file")), "
            + "\(Readable.percent(reads.byteCount - reads.s3Bytes, of: reads.byteCount)) of it from the caches.\(passthrough)"
    }

    private var requests: String {
        let (get, list) = (status.requests.get, status.requests.list)
        let count = get.sent + list.sent
        guard count > 0 else { return "No request was sent to S3." }
        return "S3 was sent \(Readable.count(count, "request")) (\(Readable.count(get.sent)) GET, "
            + "\(Readable.count(list.sent)) LIST) and gave \(Readable.bytes(get.receivedBytes + list.receivedBytes)), for "
            + "\(Readable.dollars(RequestPrices.dollars(status.requests))) at list prices."
    }

    private var latency: String {
        let latency = status.requests.get.timeToFirstByte
        guard let median = latency.p50Seconds, let p99 = latency.p99Seconds else { return "" }
        return
            "Half of the GETs were answered within \(Readable.latency(median)), 99 % within \(Readable.latency(p99))."
    }

    private var trouble: String {
        let attempts = ReportSummary.errorCount(status)
        let reads =
            reads.failed == 0 ? "no read failed" : "\(Readable.count(reads.failed, "read")) failed"
        return attempts == 0
            ? "No request met an error, and \(reads)."
            : "\(Readable.count(attempts, "attempt")) met an error; \(reads)."
    }

    /// Returns the number of errors of attempts, of all kinds.
    static func errorCount(_ status: MountStatus) -> Int {
        [status.requests.get, status.requests.list].flatMap(\.errors.elements).reduce(0) { $0 + $1.value }
    }

    // MARK: In numbers

    private var tiles: [Markup] {
        let (get, list) = (status.requests.get, status.requests.list)
        let latency = get.timeToFirstByte
        return [
            tile(
                "read", Readable.bytes(reads.byteCount), "\(Readable.count(reads.reads, "read")), on average \(average)"
            ),
            tile(
                "from the caches", Readable.percent(reads.byteCount - reads.s3Bytes, of: reads.byteCount),
                "\(Readable.percent(reads.reads - reads.waited, of: reads.reads)) of the reads didn't wait"),
            tile(
                "requests to S3", Readable.count(get.sent + list.sent),
                Readable.dollars(RequestPrices.dollars(status.requests)) + " at list prices"),
            tile(
                "to the first byte of a GET", latency.p50Seconds.map(Readable.latency) ?? "–",
                latency.p99Seconds.map { "the median; 99 % within \(Readable.latency($0))" } ?? "none yet"),
            tile(
                "went wrong", Readable.count(reads.failed, "read"),
                "\(Readable.count(get.retries + list.retries)) attempts again, \(Readable.count(get.hedges + list.hedges)) hedged"
            ),
        ]
    }

    private var average: String {
        status.sinceSeconds < 1 ? "–" : "\(Readable.bytes(Int(Double(reads.byteCount) / status.sinceSeconds)))/s"
    }

    private func tile(_ name: String, _ value: String, _ remark: String) -> Markup {
        "<div class=\"tile\"><span>\(name)</span><strong>\(value)</strong><span>\(remark)</span></div>"
    }
}
