import CommandOutput
import MountControl

/// The progress of listing a tree in words: one overwritten line on a terminal, a few lines elsewhere.
struct WarmProgressLines {
    private let path: String
    private let start = ContinuousClock.now
    private var line: ProgressLine

    init(_ path: String, on line: ProgressLine) {
        self.path = path
        self.line = line
    }

    /// Returns text such as "276480 keys in 280 pages".
    static func amount(_ progress: TreeListingProgress) -> String {
        "\(progress.keyCount) \(progress.keyCount == 1 ? "key" : "keys") in "
            + "\(progress.pageCount) \(progress.pageCount == 1 ? "page" : "pages")"
    }

    /// Shows the progress, unless that was done a moment ago.
    mutating func show(_ progress: TreeListingProgress) {
        line.show { [lines = self] _ in lines.text(progress, at: .now) }
    }

    /// Returns text such as "/mnt/hcp/100307: 276480 keys in 280 pages, 92160 keys/s".
    func text(_ progress: TreeListingProgress, at now: ContinuousClock.Instant) -> String {
        let seconds = max((now - start) / .seconds(1), 0.001)
        return "\(path): \(WarmProgressLines.amount(progress)), \(Int(Double(progress.keyCount) / seconds)) keys/s"
    }

    /// Returns the line for a tree that has been listed.
    func summary(_ progress: TreeListingProgress) -> String {
        text(progress, at: .now)
    }

    /// Clears the line on the terminal.
    mutating func erase() {
        line.erase()
    }
}
