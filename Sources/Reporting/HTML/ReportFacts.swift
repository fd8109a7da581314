import MountControl

/// Errors, versions and settings: the facts that a bug report needs.
struct ReportFacts {
    private let report: MountReport
    private let mountPoint: String
    private let source: String
    private var status: MountStatus { report.status }

    init(_ report: MountReport, mountPoint: String, source: String) {
        self.report = report
        self.mountPoint = mountPoint
        self.source = source
    }

    var markup: Markup {
        """
        <section>
        <h2>Requests, errors and retries</h2>
        \(requestTable)
        </section>
        <section>
        <h2>For a bug report</h2>
        <div class="facts">
        \(list("The mount", mount))
        \(list("Limits and use", limits))
        \(list("Settings", report.settings.elements.map { ("--" + $0.name, $0.value) }))
        </div>
        </section>
        """
    }

    // MARK: Requests

    private var requestTable: Markup {
        let (get, list) = (status.requests.get, status.requests.list)
        let errors = Set((get.errors.elements + list.errors.elements).map(\.name)).sorted()
        let counts: [(String, (MountStatus.Kind) -> String)] =
            [
                ("sent to S3", { Readable.count($0.sent) }), ("asked for", { Readable.count($0.requests) }),
                ("attempts after one that failed", { Readable.count($0.retries) }),
                ("attempts beside one that was late", { Readable.count($0.hedges) }),
                ("ended with an error", { Readable.count($0.failed) }),
                ("not wanted any more", { Readable.count($0.cancelled) }),
                ("bytes received", { Readable.bytes($0.receivedBytes) }),
                ("first byte: median", { Self.latency($0.timeToFirstByte.p50Seconds) }),
                ("first byte: 99 % within", { Self.latency($0.timeToFirstByte.p99Seconds) }),
                ("first byte: the longest", { Self.latency($0.timeToFirstByte.maxSeconds) }),
            ]
            + errors.map { error in ("error: \(error)", { Readable.count($0.errors[error] ?? 0) }) }
        let rows: [Markup] = counts.map { name, text in
            """
            <tr><th scope="row">\(name)</th><td class="number">\(text(get))</td><td class="number">\(text(list))</td></tr>
            """
        }
        return """
            <div class="scroll"><table class="requests">
            <thead><tr><th scope="col"></th><th class="number" scope="col">GET</th><th class="number" scope="col">LIST</th></tr></thead>
            <tbody>
            \(rows)
            </tbody>
            </table></div>
            """
    }

    private static func latency(_ seconds: Double?) -> String { seconds.map(Readable.latency) ?? "–" }

    // MARK: Facts

    private func list(_ title: String, _ facts: [(name: String, value: String)]) -> Markup {
        let rows: [Markup] = facts.map {
            "<tr><th scope=\"row\">\($0.name)</th><td><bdi>\($0.value)</bdi></td></tr>"
        }
        return """
            <div>
            <h3>\(title)</h3>
            <table>
            <tbody>
            \(rows)
            </tbody>
            </table>
            </div>
            """
    }

    private var mount: [(name: String, value: String)] {
        [
            ("tractfs", status.version), ("kernel", "Linux \(report.machine.kernel)"),
            (
                "machine",
                "\(Readable.count(report.machine.processors, "processor")), \(Readable.bytes(report.machine.memoryBytes)) of memory"
            ), ("what", status.uri), ("where", mountPoint), ("server", "\(status.endpoint) (\(status.region))"),
            ("overlay", status.overlay.map { "what is written is kept in \($0)" } ?? "none"),
            ("mounted", status.mountedAt), ("counted since", status.since),
            (
                "served by",
                "process \(status.serverPid), number \(status.generation) of this mount, "
                    + (status.supervisorPid.map { "supervised by \($0)" } ?? "not supervised")
            ), ("credentials", StatusText.credentials(status.credentials)),
            (
                "passthrough",
                status.passthrough.usable
                    ? "used: \(Readable.count(status.passthrough.files)) files lent now, \(Readable.count(status.passthrough.opens, "open"))"
                    : "not used: all reads come to tractfs"
            ),
        ]
    }

    private var limits: [(name: String, value: String)] {
        let (memory, requests) = (status.memory, status.requests)
        let use = { (used: Int, limit: Int) in "\(Readable.bytes(used)) of \(Readable.bytes(limit))" }
        return [
            (
                "requests at once",
                "\(requests.inFlight) now, at most \(requests.inFlightLimit) of \(requests.connectionLimit)"
            ), ("memory of the process", memory.processBytes.map { Readable.bytes($0) } ?? "unknown"),
            ("file contents", use(memory.blockBytes, memory.blockLimitBytes)),
            ("listings", use(memory.metadataBytes, memory.metadataLimitBytes)),
            (
                "disk cache",
                status.diskCache.map {
                    use($0.usedBytes, $0.limitBytes) + ($0.storing ? "" : "; nothing is stored just now")
                }
                    ?? "none"
            ), ("damaged blocks found", Readable.count(status.diskCache?.damaged ?? 0)),
            (
                "too fast for the disk",
                "\(Readable.bytes(status.diskCache?.skippedBytes ?? 0)), "
                    + "\(Readable.bytes(status.diskCache?.storedLaterBytes ?? 0)) stored later"
            ),
            (
                "names",
                "\(Readable.count(status.names.lookups, "lookup")), \(Readable.count(status.names.lookupsWaited)) waited"
            ),
            (
                "known now",
                "\(Readable.count(status.names.folders, "folder")), \(Readable.count(status.names.inodes, "inode"))"
            ),
            (
                "open now",
                "\(Readable.count(status.open.files, "file")), \(Readable.count(status.open.folders, "folder"))"
            ),
            (
                "reads",
                "\(Readable.count(status.reads.reads)), \(Readable.count(status.reads.waited)) waited, "
                    + "\(Readable.count(status.reads.failed)) failed"
            ),
        ]
    }
}
