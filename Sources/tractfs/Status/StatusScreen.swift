import Glibc

/// The live screen of `tractfs status --watch`.
struct StatusScreen {
    private let mountPoint: String

    // The other screen of a terminal, without a cursor, and the first one again (xterm's control sequences).
    private static let entering = "\u{1b}[?1049h\u{1b}[?25l"
    private static let leaving = "\u{1b}[?25h\u{1b}[?1049l"
    /// To the corner; each line is cleared behind what is written, and below the last one all is (ECMA-48: CUP, EL, ED).
    private static let home = "\u{1b}[H"
    private static let lineEnd = "\u{1b}[K\n"
    private static let clearing = "\u{1b}[J"

    /// A screen of the mount at a path, or of the only one that there is.
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
        // It is told now, not on a screen that is gone at once.
        _ = try mount.status()
        mountPoint = mount.mountPoint
    }

    /// Shows it once a second, until somebody ends it.
    func run() throws {
        var ends = StatusScreen.blockedSignals()
        try StandardOutput.write(StatusScreen.entering)
        // If the terminal is gone there is nothing left to be put in order.
        defer { try? StandardOutput.write(StatusScreen.leaving) }
        var frames = StatusFrames()
        var second = timespec(tv_sec: 1, tv_nsec: 0)
        repeat {
            let lines = frames.next(try AskedMount.one(at: mountPoint))
            try StandardOutput.write(
                StatusScreen.home + lines.joined(separator: StatusScreen.lineEnd) + StatusScreen.lineEnd
                    + StatusScreen.clearing)
        } while sigtimedwait(&ends, nil, &second) < 0
    }

    /// The signals that end the screen. From now on they wait to be taken (sigtimedwait(2)), so that the terminal is left in order.
    private static func blockedSignals() -> sigset_t {
        var signals = sigset_t()
        sigemptyset(&signals)
        for signal in [SIGINT, SIGTERM, SIGHUP] { sigaddset(&signals, signal) }
        // Threads that ask have it as well: they are begun later.
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        return signals
    }
}
