import CommandOutput
import Glibc
import Reporting
import SystemSupport

/// The live screen of `tractfs status --watch`.
struct StatusScreen {
    private let mountPoint: String

    // The sequences for the alternate screen without a cursor, and for the return to the main screen (xterm).
    private static let entering = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leaving = "\u{1b}[?25h\u{1b}[?1049l"
    /// The sequences for the top left corner, for clearing the rest of a line, and for clearing below the last line
    /// (ECMA-48: CUP, EL, ED).
    private static let home = "\u{1b}[H"
    private static let lineEnd = "\u{1b}[K\n"
    private static let clearing = "\u{1b}[J"

    /// Creates a screen for the mount at a path, or for the only mount.
    init(watching path: String?) throws {
        guard isatty(STDOUT_FILENO) == 1 else {
            throw Failure("--watch needs a terminal; for programs there are --json and --prometheus")
        }
        let mounts = try path.map { [try AskedMount.one(at: $0)] } ?? AskedMount.all()
        guard let mount = mounts.first else { throw Failure("there is no tractfs mount") }
        guard mounts.count == 1 else {
            let places = mounts.map(\.mountPoint).joined(separator: ", ")
            throw Failure("there are several mounts; give --watch one of \(places)")
        }
        // Report a failure now, not on a screen that disappears at once.
        _ = try mount.status()
        mountPoint = mount.mountPoint
    }

    /// Updates the screen once a second, until the user ends it.
    func run() throws {
        var ends = StatusScreen.blockedSignals()
        try StandardOutput.write(StatusScreen.entering)
        // If the terminal is gone, it needs no restoring.
        defer { try? StandardOutput.write(StatusScreen.leaving) }
        var frames = StatusFrames()
        var second = timespec(tv_sec: 1, tv_nsec: 0)
        repeat {
            let lines = frames.next(try AskedMount.one(at: mountPoint).observed)
            try StandardOutput.write(
                StatusScreen.home + lines.joined(separator: StatusScreen.lineEnd) + StatusScreen.lineEnd
                    + StatusScreen.clearing)
        } while sigtimedwait(&ends, nil, &second) < 0
    }

    /// Blocks the signals that end the screen, and returns them. They stay pending for sigtimedwait(2), so that the
    /// terminal is restored.
    private static func blockedSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        // The threads that request the status start later and inherit the mask.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }
}
