import Glibc
import SystemPackage
import SystemSupport

/// The progress of a command: on a terminal a line that is overwritten again and again, elsewhere a line now and then.
package struct ProgressLine {
    /// The time after which an operation is shown on a terminal.
    package static let terminalDelay: Duration = .seconds(1)
    /// The shortest interval of texts on a terminal: faster changes can't be read.
    private static let terminalPeriod: Duration = .milliseconds(250)
    /// The interval between lines if the output is no terminal.
    private static let linePeriod: Duration = .seconds(30)
    /// The control sequence that returns to the beginning of the line and clears it (ECMA-48: CR, EL).
    private static let clearing = "\r\u{1b}[K"

    private let isTerminal: Bool
    /// `nil` if nothing is shown.
    private let write: ((String) -> Void)?
    private var next: ContinuousClock.Instant
    private var isShown = false

    /// Creates a line on a terminal.
    ///
    /// - Parameters:
    ///   - write: Writes to the terminal.
    ///   - delay: The time until the first text is shown.
    package init(
        onTerminal write: @escaping (String) -> Void, delay: Duration = terminalDelay,
        now: ContinuousClock.Instant = .now
    ) {
        isTerminal = true
        self.write = write
        next = now + delay
    }

    /// Creates lines for an output that is no terminal.
    ///
    /// - Parameter write: Writes a line; `nil` to show nothing.
    package init(asLines write: ((String) -> Void)?, now: ContinuousClock.Instant = .now) {
        isTerminal = false
        self.write = write
        next = now + ProgressLine.linePeriod
    }

    /// Returns the line for standard error.
    ///
    /// - Parameter hasLines: `true` to show lines if that is no terminal, and `false` to show nothing then.
    package static func onStandardError(hasLines: Bool) -> ProgressLine {
        isatty(STDERR_FILENO) == 1
            ? ProgressLine(onTerminal: { StandardError.write($0) })
            : ProgressLine(asLines: hasLines ? { StandardError.tell($0) } : nil)
    }

    /// Shows a text if the interval since the last one is over.
    ///
    /// - Parameter text: Returns the text. It gets the width of the terminal; `nil` if there is none.
    package mutating func show(at now: ContinuousClock.Instant = .now, _ text: (_ columnCount: Int?) -> String) {
        guard let write, now >= next else { return }
        if isTerminal {
            next = now + ProgressLine.terminalPeriod
            isShown = true
            write(ProgressLine.clearing + text(Terminal.columnCount(.standardError) ?? 80))
        } else {
            next = now + ProgressLine.linePeriod
            write(text(nil))
        }
    }

    /// Clears the line on the terminal, so that other output can be written.
    package mutating func erase() {
        guard isShown, let write else { return }
        isShown = false
        write(ProgressLine.clearing)
    }
}
