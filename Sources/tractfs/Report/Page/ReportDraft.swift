import ObjectStore
import SystemSupport

/// The HTML page of a mount's report: text and charts in one file that loads no others.
struct ReportDraft {
    let report: MountReport
    let mountPoint: String
    let source: String
    let madeAt: Timestamp

    init(_ report: MountReport, mountPoint: String, source: String, madeAt: Timestamp) {
        self.report = report
        self.mountPoint = mountPoint
        self.source = source
        self.madeAt = madeAt
    }

    /// The start of the serving process by this machine's present clock, which may have been corrected since.
    var start: Timestamp {
        Timestamp(seconds: madeAt.seconds - Int(report.status.sinceSeconds.rounded()))
    }

    var page: Markup {
        """
        <!DOCTYPE html>
        <html lang="en">
        <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>tractfs: \(source)</title>
        <style>
        \(PageStyle.sheet)
        </style>
        </head>
        <body>
        <main>
        <header>
        <h1><bdi>\(source)</bdi></h1>
        <p class="sub">mounted on <bdi>\(mountPoint)</bdi> · \(time) · tractfs \(report.status.version)</p>
        </header>
        \(ReportSummary(report).markup)
        \(ReportCharts(report, start: start).markup)
        \(AccessTables(report.access, usesPassthrough: report.status.passthrough.opens > 0).markup)
        \(ReportFacts(report, mountPoint: mountPoint, source: source).markup)
        \(notes)
        </main>
        </body>
        </html>

        """
    }

    /// The period as text, such as "2026-11-28 23:00:12 to 23:10:12 UTC".
    private var time: String {
        let (from, to) = (start.utcText, madeAt.utcText)
        let isOneDay = from.prefix(10) == to.prefix(10)
        return "\(from.prefix(10)) \(from.dropFirst(11).prefix(8)) to "
            + "\(isOneDay ? "" : "\(to.prefix(10)) ")\(to.dropFirst(11).prefix(8)) UTC"
    }

    private var notes: Markup {
        let status = report.status
        let generation =
            status.generation == 1
            ? "This is the first process that serves the mount, so all of its life is here."
            : "This is process number \(status.generation) that serves the mount: what the ones before it did is not here."
        return """
            <section>
            <h2>What isn't here</h2>
            <ul class="notes">
            <li>\(generation)</li>
            <li>Reads that the kernel answers from its own memory (the page cache) never reach tractfs, and are in no number.</li>
            <li>Files that are wholly in the disk cache may be lent to the kernel (passthrough), which then reads them without \
            asking. Such opens are counted, what was read is not known.</li>
            <li>Prices are list prices of S3 Standard in us-east-1, in 2026, of requests alone; who owns the bucket may pay them.</li>
            <li>Charts have a step for every \(Readable.duration(max(Double(report.history.periodSeconds), 1))) or more. Times are UTC.</li>
            </ul>
            </section>
            """
    }
}
