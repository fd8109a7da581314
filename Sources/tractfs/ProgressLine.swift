import Glibc
import SystemPackage

/// How far something that goes through many bytes is, in a line that is written over again and again.
struct ProgressLine {
    /// What is over in less needs no line.
    private static let delay: Duration = .seconds(1)
    /// As often as somebody can read it.
    private static let period: Duration = .milliseconds(250)
    /// Goes to the line's beginning and clears it (ECMA-48: CR, EL).
    private static let clearing = "\r\u{1b}[K"

    private let verb: String
    private let totalByteCount: Int
    /// `nil` where nobody watches.
    private let write: ((String) -> Void)?
    private var byteCount = 0
    private var next: ContinuousClock.Instant
    private var isShown = false

    /// A line that says "checked 1.2GiB of 3.4GiB" for the verb "checked".
    ///
    /// - Parameters:
    ///   - delay: How long nothing is shown.
    ///   - write: Where it goes.
    init(_ verb: String, totalByteCount: Int, delay: Duration = delay, write: ((String) -> Void)?) {
        self.verb = verb
        self.totalByteCount = totalByteCount
        self.write = write
        next = .now + delay
    }

    /// A line on standard error, if that is a terminal.
    static func onTerminal(_ verb: String, totalByteCount: Int) -> ProgressLine {
        guard isatty(STDERR_FILENO) == 1 else { return ProgressLine(verb, totalByteCount: totalByteCount, write: nil) }
        return ProgressLine(verb, totalByteCount: totalByteCount) { text in
            _ = try? FileDescriptor.standardError.writeAll(text.utf8)
        }
    }

    /// So many bytes more are done.
    mutating func add(_ count: Int) {
        byteCount += count
        guard let write, case let now = ContinuousClock.now, now >= next else { return }
        next = now + ProgressLine.period
        isShown = true
        // Mounts may have added something since the total was counted.
        let total = max(totalByteCount, byteCount)
        write(ProgressLine.clearing + "\(verb) \(ByteCount(byteCount).rounded) of \(ByteCount(total).rounded)")
    }

    /// Clears the line, so that something else can be written there.
    mutating func erase() {
        guard isShown, let write else { return }
        isShown = false
        write(ProgressLine.clearing)
    }
}
