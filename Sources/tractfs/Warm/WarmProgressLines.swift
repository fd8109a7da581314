import FileSystem

/// How far the listing of a tree is, in words: in one line that is written over on a terminal, in a few lines elsewhere.
struct WarmProgressLines {
    /// How often there is a line where there is no terminal.
    private static let period: Duration = .seconds(30)

    private let path: String
    private let tell: (String) -> Void
    private let start = ContinuousClock.now
    private var line: OverwrittenLine
    private var next = ContinuousClock.now + period

    /// - Parameters:
    ///   - line: The line on a terminal.
    ///   - tell: Takes the lines where nobody watches that.
    init(_ path: String, on line: OverwrittenLine, tell: @escaping (String) -> Void) {
        self.path = path
        self.line = line
        self.tell = tell
    }

    /// "276480 keys in 280 pages".
    static func amount(_ status: FileSystem.WarmStatus) -> String {
        "\(status.keyCount) \(status.keyCount == 1 ? "key" : "keys") in "
            + "\(status.pageCount) \(status.pageCount == 1 ? "page" : "pages")"
    }

    /// Tells how far it is, unless that was told a moment ago.
    mutating func show(_ status: FileSystem.WarmStatus) {
        let now = ContinuousClock.now
        if line.isWatched {
            let text = text(status, at: now)
            line.show { text }
        } else if now >= next {
            next = now + WarmProgressLines.period
            tell(text(status, at: now))
        }
    }

    /// "/mnt/hcp/100307: 276480 keys in 280 pages, 92160 keys/s".
    func text(_ status: FileSystem.WarmStatus, at now: ContinuousClock.Instant) -> String {
        let seconds = max((now - start) / .seconds(1), 0.001)
        return "\(path): \(WarmProgressLines.amount(status)), \(Int(Double(status.keyCount) / seconds)) keys/s"
    }

    /// The line for a tree that is listed.
    func summary(_ status: FileSystem.WarmStatus) -> String {
        text(status, at: .now)
    }

    /// Clears the line on the terminal.
    mutating func erase() {
        line.erase()
    }
}
