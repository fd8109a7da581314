import Glibc
import SystemPackage
import SystemSupport

/// A line on a terminal that is overwritten again and again, to show progress.
package struct OverwrittenLine {
    /// Shorter operations show no line.
    package static let delay: Duration = .seconds(1)
    /// The shortest interval between two texts: faster changes can't be read.
    private static let period: Duration = .milliseconds(250)
    /// Returns to the beginning of the line and clears it (ECMA-48: CR, EL).
    private static let clearing = "\r\u{1b}[K"

    /// Writes to the terminal; `nil` if there is none.
    private let write: ((String) -> Void)?
    private var next: ContinuousClock.Instant
    private var isShown = false

    /// - Parameters:
    ///   - delay: The time until the first text is shown.
    ///   - write: Writes to the terminal; `nil` if there is none.
    package init(delay: Duration = delay, write: ((String) -> Void)?) {
        self.write = write
        next = .now + delay
    }

    /// Returns a line on standard error, which shows nothing unless that is a terminal.
    package static func onTerminal() -> OverwrittenLine {
        OverwrittenLine(write: isatty(STDERR_FILENO) == 1 ? { StandardError.write($0) } : nil)
    }

    /// The number of columns that fit in a line on standard error.
    package static var columnCount: Int { Terminal.columnCount(.standardError) ?? 80 }

    /// `true` if there is a terminal.
    package var isWatched: Bool { write != nil }

    /// Shows `text`, unless the delay or the interval is not over.
    package mutating func show(_ text: () -> String) {
        guard let write, case let now = ContinuousClock.now, now >= next else { return }
        next = now + OverwrittenLine.period
        isShown = true
        write(OverwrittenLine.clearing + text())
    }

    /// Clears the line, so that other output can be written.
    package mutating func erase() {
        guard isShown, let write else { return }
        isShown = false
        write(OverwrittenLine.clearing)
    }
}
