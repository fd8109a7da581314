import Glibc
import Synchronization
import SystemPackage

/// Ctrl-C: says that nothing is lost, and ends the process. The mount hears of it as the requests that wait are interrupted.
final class WarmInterruption: Sendable {
    private static let exitStatus: CInt = 130

    private let run = Mutex<FetchRun?>(nil)

    /// Listens from now on. To be called before any thread is started.
    func install() {
        SignalThread.start([SIGINT]) { [self] _ in
            if isatty(STDERR_FILENO) == 1 { _ = try? FileDescriptor.standardError.writeAll("\n".utf8) }
            StandardError.tell(text)
            _exit(WarmInterruption.exitStatus)
        }
    }

    /// What is at work now.
    func note(_ run: FetchRun?) {
        self.run.withLock { $0 = run }
    }

    private var text: String {
        let fetched = run.withLock { $0?.counts.fetchedByteCount } ?? 0
        return "interrupted, \(ByteCount(fetched).rounded) fetched; the same command goes on from there"
    }
}
