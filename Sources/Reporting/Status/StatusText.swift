import MountControl
import SystemSupport

/// The status of a mount for users: its identity, and a line for each subject.
package struct StatusText {
    private let mount: ObservedMount

    package init(_ mount: ObservedMount) {
        self.mount = mount
    }

    /// The lines.
    package var text: String {
        let rows: [String] =
            switch mount.status {
            case .success(let status): StatusText.rows(status)
            case .failure(let error): ["\(error)"]
            }
        return (["\(mount.mountPoint): \(mount.source)"] + rows.map { "  \($0)" }).map { $0 + "\n" }.joined()
    }

    private static let labelWidth = 13

    private static func row(_ label: String, _ text: String) -> String {
        label + String(repeating: " ", count: labelWidth - label.count) + text
    }

    /// Returns a line for each subject.
    static func rows(_ status: MountStatus) -> [String] {
        [
            row("mounted", "\(status.mountedAt), asks \(status.endpoint) (\(status.region))"),
            row("served by", server(status)),
            row("credentials", credentials(status.credentials)),
        ] + (status.overlay.map { [row("overlay", "what is written is kept in \($0)")] } ?? []) + counts(status)
    }

    /// Returns the lines that change.
    static func counts(_ status: MountStatus) -> [String] {
        let requests = status.requests
        let errors = [("GET", requests.get), ("LIST", requests.list)].flatMap { name, kind in
            kind.errors.elements.map { "\($0.value) \(name) \($0.name)" }
        }
        let (get, list) = (requests.get, requests.list)
        return [
            row("GET", sent(get)), row("LIST", sent(list)),
            row("errors", errors.isEmpty ? "none" : errors.joined(separator: ", ")),
            row("now", load(requests)), row("cost", cost(requests)),
            row("first byte", "GET \(latency(get.timeToFirstByte))"),
            row("", "LIST \(latency(list.timeToFirstByte))"),
            row("reads", reads(status.reads)), row("", sources(status.reads)),
            row("passthrough", passthrough(status.passthrough)),
            row("names", names(status)),
        ] + badEntries(status.names) + [
            row("memory", memory(status.memory)), row("disk cache", diskCache(status.diskCache)),
        ]
    }

    /// A line only where there are any.
    private static func badEntries(_ names: MountStatus.Names) -> [String] {
        guard let counts = names.badEntries?.elements, !counts.isEmpty else { return [] }
        let kinds = counts.map { "\($0.value) \($0.name)" }
        return [row("bad entries", kinds.joined(separator: ", "))]
    }

    private static func server(_ status: MountStatus) -> String {
        let since = status.generation == 1 ? "" : " since \(status.since) (generation \(status.generation))"
        return "tractfs \(status.version), process \(status.serverPid)" + since
            + (status.supervisorPid.map { ", supervised by \($0)" } ?? ", not supervised")
    }

    /// Returns the source and the expiry of the credentials.
    static func credentials(_ credentials: MountStatus.Credentials?) -> String {
        guard let credentials else { return "none, requests are not signed" }
        return credentials.source + (credentials.expiresAt.map { ", until \($0)" } ?? "")
            + (credentials.usable ? "" : "; none that the store takes just now")
    }

    private static func sent(_ kind: MountStatus.Kind) -> String {
        "\(kind.sent) sent, \(ByteCount(kind.receivedBytes).rounded) got; \(kind.retries) again, \(kind.hedges) hedged, "
            + "\(kind.failed) failed"
    }

    private static func load(_ requests: MountStatus.Requests) -> String {
        "\(requests.inFlight) in flight, \(requests.waiting) waiting, at most \(requests.inFlightLimit) at once"
            + (requests.inFlightLimit < requests.connectionLimit
                ? ": the store asks for less than \(requests.connectionLimit)" : "")
    }

    private static func cost(_ requests: MountStatus.Requests) -> String {
        let dollars = RequestPrices.dollars(requests)
        let amount = dollars < 0.0001 ? "less than $0.0001" : "about $\(Decimals.text(dollars, 4))"
        return "\(amount) at list prices (S3 Standard, us-east-1, 2026)"
    }

    private static func latency(_ latency: MountStatus.Latency) -> String {
        guard let median = latency.p50Seconds, let p90 = latency.p90Seconds, let p99 = latency.p99Seconds,
            let longest = latency.maxSeconds
        else { return "none yet" }
        return "\(milliseconds(median)) median, \(milliseconds(p90)) p90, \(milliseconds(p99)) p99, "
            + "\(milliseconds(longest)) at most"
    }

    private static func milliseconds(_ seconds: Double) -> String {
        "\(Decimals.text(seconds * 1_000, seconds < 0.01 ? 1 : 0)) ms"
    }

    private static func reads(_ reads: MountStatus.Reads) -> String {
        "\(reads.reads), \(reads.waited) had to wait, \(reads.failed) failed; \(percent(reads.byteCount - reads.s3Bytes, of: reads.byteCount)) from caches"
    }

    private static func sources(_ reads: MountStatus.Reads) -> String {
        "\(ByteCount(reads.s3Bytes).rounded) from S3, \(ByteCount(reads.diskCacheBytes).rounded) from the disk, "
            + "\(ByteCount(reads.memoryCacheBytes).rounded) from memory"
    }

    private static func passthrough(_ passthrough: MountStatus.Passthrough) -> String {
        guard passthrough.usable else { return "not used: all reads come to this process" }
        return
            "\(passthrough.files) files lent, \(passthrough.opens) opens; the kernel's own reads of them aren't known"
    }

    private static func names(_ status: MountStatus) -> String {
        let names = status.names
        return "\(names.lookups) lookups, \(names.lookupsWaited) had to wait; \(names.folders) folders known, "
            + "\(status.open.files) files open"
    }

    private static func memory(_ memory: MountStatus.Memory) -> String {
        "\(memory.processBytes.map { ByteCount($0).rounded } ?? "unknown") in all; contents \(use(memory.blockBytes, memory.blockLimitBytes)), "
            + "listings \(use(memory.metadataBytes, memory.metadataLimitBytes))"
    }

    private static func diskCache(_ cache: MountStatus.DiskCache?) -> String {
        guard let cache else { return "none" }
        return "\(use(cache.usedBytes, cache.limitBytes)) in \(cache.directory)"
            + (cache.storing ? "" : "; nothing is stored just now: see the log")
            + (cache.skippedBytes ?? 0 == 0
                ? ""
                : "; \(ByteCount(cache.skippedBytes ?? 0).rounded) came too fast for the disk, "
                    + "\(ByteCount(cache.storedLaterBytes ?? 0).rounded) of it stored later")
    }

    private static func use(_ byteCount: Int, _ limit: Int) -> String {
        "\(ByteCount(byteCount).rounded) of \(ByteCount(limit).rounded)"
    }

    private static func percent(_ part: Int, of whole: Int) -> String {
        whole == 0 ? "nothing" : "\(Decimals.text(100 * Double(part) / Double(whole), 0)) %"
    }
}

/// Formats numbers with a fixed number of decimals.
enum Decimals {
    /// Returns `value`, which must not be negative, rounded.
    static func text(_ value: Double, _ digitCount: Int) -> String {
        let factor = (0..<digitCount).reduce(1.0) { product, _ in product * 10 }
        let scaled = "\(Int((value * factor).rounded()))"
        guard digitCount > 0 else { return scaled }
        let digits = String(repeating: "0", count: max(digitCount + 1 - scaled.count, 0)) + scaled
        return "\(digits.dropLast(digitCount)).\(digits.suffix(digitCount))"
    }
}
