import Glibc
import SystemPackage
import SystemSupport

/// A line on a terminal that is written over again and again, for somebody who watches.
struct OverwrittenLine {
    /// What is over in less needs no line.
    private static let delay: Duration = .seconds(1)
    /// As often as somebody can read it.
    private static let period: Duration = .milliseconds(250)
    /// Goes to the line's beginning and clears it (ECMA-48: CR, EL).
    private static let clearing = "\r\u{1b}[K"

    /// `nil` where nobody watches.
    private let write: ((String) -> Void)?
    private var next: ContinuousClock.Instant
    private var isShown = false

    /// - Parameters:
    ///   - delay: How long nothing is shown.
    ///   - write: Where it goes.
    init(delay: Duration = delay, write: ((String) -> Void)?) {
        self.write = write
        next = .now + delay
    }

    /// A line on standard error, if that is a terminal.
    static func onTerminal() -> OverwrittenLine {
        guard isatty(STDERR_FILENO) == 1 else { return OverwrittenLine(write: nil) }
        return OverwrittenLine { text in
            _ = try? FileDescriptor.standardError.writeAll(text.utf8)
        }
    }

    /// How long a line on standard error may be.
    static var columnCount: Int { Terminal.columnCount(.standardError) ?? 80 }

    /// Whether somebody watches.
    var isWatched: Bool { write != nil }

    /// Shows `text`, unless that is too soon.
    mutating func show(_ text: () -> String) {
        guard let write, case let now = ContinuousClock.now, now >= next else { return }
        next = now + OverwrittenLine.period
        isShown = true
        write(OverwrittenLine.clearing + text())
    }

    /// Clears the line, so that something else can be written there.
    mutating func erase() {
        guard isShown, let write else { return }
        isShown = false
        write(OverwrittenLine.clearing)
    }
}
