import CommandOutput
import FileSystem

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
    static func amount(_ status: FileSystem.WarmStatus) -> String {
        "\(status.keyCount) \(status.keyCount == 1 ? "key" : "keys") in "
            + "\(status.pageCount) \(status.pageCount == 1 ? "page" : "pages")"
    }

    /// Shows the progress, unless that was done a moment ago.
    mutating func show(_ status: FileSystem.WarmStatus) {
        line.show { [lines = self] _ in lines.text(status, at: .now) }
    }

    /// Returns text such as "/mnt/hcp/100307: 276480 keys in 280 pages, 92160 keys/s".
    func text(_ status: FileSystem.WarmStatus, at now: ContinuousClock.Instant) -> String {
        let seconds = max((now - start) / .seconds(1), 0.001)
        return "\(path): \(WarmProgressLines.amount(status)), \(Int(Double(status.keyCount) / seconds)) keys/s"
    }

    /// Returns the line for a tree that has been listed.
    func summary(_ status: FileSystem.WarmStatus) -> String {
        text(status, at: .now)
    }

    /// Clears the line on the terminal.
    mutating func erase() {
        line.erase()
    }
}
