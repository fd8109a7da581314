import ObjectStore

/// What the live screen shows of a mount, once a second: how fast it is now and was in the last minute, and all counts.
struct StatusFrames {
    static let columnCount = 80
    private static let sparklineWidth = 48

    /// What is shown over time.
    private struct Rate {
        let label: String
        /// What is counted.
        let count: (MountStatus) -> Int
        /// How a second's worth of it is written.
        let text: (Double) -> String
        var sparkline = Sparkline(width: sparklineWidth)
    }

    private var rates = [
        Rate(label: "from S3", count: { $0.requests.get.receivedBytes + $0.requests.list.receivedBytes }, text: bytes),
        Rate(label: "read", count: { $0.reads.byteCount }, text: bytes),
        Rate(label: "GET", count: { $0.requests.get.sent }, text: requests),
        Rate(label: "LIST", count: { $0.requests.list.sent }, text: requests),
    ]
    private var last: MountStatus?

    /// The lines for what the mount says now, none of them longer than the screen is wide.
    mutating func next(_ mount: AskedMount) -> [String] {
        let body: [String]
        do throws(Failure) {
            let status = try mount.status()
            body = rateLines(status) + [""] + StatusText.counts(status)
            last = status
        } catch {
            body = ["\(error)"]
            last = nil
        }
        let heading = "\(mount.mountPoint)  \(mount.source)"
        return ([heading, ""] + body + ["", "Ctrl-C ends"]).map(StatusFrames.fitting)
    }

    private mutating func rateLines(_ status: MountStatus) -> [String] {
        let seconds = last.map { status.sinceSeconds - $0.sinceSeconds } ?? 0
        return rates.indices.map { index in
            // Counts of a new server begin anew; of the first look there is no rate.
            let isContinued = seconds > 0 && last?.serverPid == status.serverPid
            let difference = isContinued ? rates[index].count(status) - (last.map(rates[index].count) ?? 0) : 0
            let value = isContinued ? Double(max(difference, 0)) / seconds : 0
            if last != nil { rates[index].sparkline.append(value) }
            let label = rates[index].label
            return label + String(repeating: " ", count: 9 - label.count) + rates[index].sparkline.text + "  "
                + rates[index].text(value)
        }
    }

    private static func bytes(_ perSecond: Double) -> String { "\(ByteCount(Int(perSecond)).rounded)/s" }
    private static func requests(_ perSecond: Double) -> String { "\(Decimals.text(perSecond, 1))/s" }

    /// As much of a line as fits, and nothing that a terminal would obey.
    private static func fitting(_ line: String) -> String {
        let visible = String(String.UnicodeScalarView(line.unicodeScalars.filter { !$0.isInstruction }))
        return visible.count <= columnCount ? visible : visible.prefix(columnCount - 1) + "…"
    }
}
