import ObjectStore
import SystemSupport

/// The frames of the live screen of a mount, one per second: current rates, rates of the last minute, and all counts.
struct StatusFrames {
    static let columnCount = 80
    private static let sparklineWidth = 48

    /// A rate over time.
    private struct Rate {
        let label: String
        /// The counter behind the rate.
        let count: (MountStatus) -> Int
        /// Formats the count of one second.
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

    /// Returns the lines for the current status, cut to the width of the screen.
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
            // A new server starts its counts at zero, and the first frame has no rate.
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

    /// Returns the part of a line that fits, without terminal control characters.
    private static func fitting(_ line: String) -> String {
        let visible = line.replacingControlCharacters(with: "")
        return visible.count <= columnCount ? visible : visible.prefix(columnCount - 1) + "…"
    }
}
