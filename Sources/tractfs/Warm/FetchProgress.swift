import CommandOutput
import SystemSupport

/// The progress of a fetch in words: one overwritten line on a terminal, a few lines elsewhere.
struct FetchProgress {
    /// The window of the rate: long enough for a steady value.
    private static let rateWindow: Duration = .seconds(10)
    private static let barWidth = 22

    private let totalByteCount: Int
    private var line: ProgressLine
    private let start: ContinuousClock.Instant
    /// The completed bytes over time, a second apart, oldest first.
    private var samples: [(instant: ContinuousClock.Instant, byteCount: Int)]

    init(totalByteCount: Int, on line: ProgressLine, now: ContinuousClock.Instant = .now) {
        self.totalByteCount = totalByteCount
        self.line = line
        start = now
        samples = [(now, 0)]
    }

    /// Shows the progress, unless that was done a moment ago.
    mutating func show(_ counts: FetchRun.Counts, at now: ContinuousClock.Instant = .now) {
        sample(counts.doneByteCount, at: now)
        line.show(at: now) { [progress = self] width in
            width.map { progress.line(counts, at: now, width: $0) } ?? progress.text(counts, at: now)
        }
    }

    private mutating func sample(_ byteCount: Int, at now: ContinuousClock.Instant) {
        guard let last = samples.last, now - last.instant >= .seconds(1) else { return }
        samples.append((now, byteCount))
        // One sample is older than the window, unless the fetch is younger than that.
        while samples.count > 2, now - samples[1].instant >= FetchProgress.rateWindow { samples.removeFirst() }
    }

    private func bytesPerSecond(_ byteCount: Int, at now: ContinuousClock.Instant) -> Double {
        guard let first = samples.first else { return 0 }
        return Double(byteCount - first.byteCount) / max((now - first.instant) / .seconds(1), 0.001)
    }

    /// Returns text such as "43%, 26.8GiB of 62.3GiB, 812MiB/s, 45s left".
    func text(_ counts: FetchRun.Counts, at now: ContinuousClock.Instant) -> String {
        let total = max(totalByteCount, counts.doneByteCount)
        let rate = bytesPerSecond(counts.doneByteCount, at: now)
        let percent = total == 0 ? 100 : Int(Double(counts.doneByteCount) / Double(total) * 100)
        let left = rate >= 1 ? ", \(WarmText.time(Double(total - counts.doneByteCount) / rate)) left" : ""
        return "\(percent)%, \(ByteCount(counts.doneByteCount).rounded) of \(ByteCount(total).rounded), "
            + "\(ByteCount(Int(rate)).rounded)/s\(left)"
    }

    /// Returns a bar, this text and the current file, in at most `width` columns.
    func line(_ counts: FetchRun.Counts, at now: ContinuousClock.Instant, width: Int) -> String {
        let part = totalByteCount == 0 ? 1 : Double(counts.doneByteCount) / Double(totalByteCount)
        let bar = WarmText.bar(part, width: FetchProgress.barWidth)
        return WarmText.fitting("\(bar) \(text(counts, at: now)), \(counts.current)", width: width)
    }

    /// Returns the fetched bytes and the time, such as "44.5GiB fetched in 1m 33s, 490MiB/s".
    func summary(_ counts: FetchRun.Counts, at now: ContinuousClock.Instant = .now) -> String {
        let seconds = (now - start) / .seconds(1)
        let rate = ByteCount(Int(Double(counts.fetchedByteCount) / max(seconds, 0.001))).rounded
        return counts.fetchedByteCount == 0
            ? "nothing to fetch"
            : "\(ByteCount(counts.fetchedByteCount).rounded) fetched in \(WarmText.time(seconds)), \(rate)/s"
    }

    /// Clears the line on the terminal.
    mutating func erase() {
        line.erase()
    }
}
